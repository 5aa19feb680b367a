/** Makes elements. Text is always text: nothing here, or anywhere in the page, reads HTML. */

type Child = Node | string | undefined | false;

interface Attributes {
  readonly class?: string;
  readonly title?: string;
  readonly role?: string;
  readonly onclick?: () => void;
  readonly [name: string]: string | boolean | undefined | (() => void);
}

/** An element; attributes that are false or undefined are left out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.replace(/^on/, ""), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** A button with words, and with what they mean where they are short. */
export function button(label: string, onclick: () => void, more: Attributes = {}): HTMLElement {
  return h("button", { type: "button", ...more, onclick }, label);
}

/** A button that is a picture; its name is for those who do not see it, and for the tooltip. */
export function iconButton(name: IconName, title: string, onclick: () => void): HTMLElement {
  const made = h("button", { type: "button", class: "icon", title, "aria-label": title, onclick });
  made.append(icon(name));
  return made;
}

const PATHS = {
  add: "M8 3v10M3 8h10",
  check: "M3 8.5 6.5 12 13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  dot: "M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3",
  down: "M8 3v10M4 9l4 4 4-4",
  edit: "M3 13l1-3.5L11 2.5 13.5 5l-7 7z",
  flag: "M4 14V2.5M4 3h8l-2 3 2 3H4",
  insert: "M2.5 3h11M2.5 13h11M5 8h8M5 8l2.5-2.5M5 8l2.5 2.5",
  memory: "M3 2.5h8l2 2v9H3zM5.5 6h5M5.5 8.5h5M5.5 11h3",
  send: "M2.5 13.5 14 8 2.5 2.5 4 8zM4 8h6",
  stop: "M4 4h8v8H4z",
  undo: "M6 3 3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6",
  warning: "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.4v.2",
} as const;

export type IconName = keyof typeof PATHS;

/** One of our own drawings, in the colour of the text around it. */
export function icon(name: IconName): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}
