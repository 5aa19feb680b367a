import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Window } from "happy-dom";
import { MarkdownText } from "../../src/webview/markdown.ts";

describe("Markdown", () => {
  let done: string[] = [];
  let text: MarkdownText;

  beforeEach(() => {
    Object.assign(globalThis, { document: new Window().document });
    done = [];
    text = new MarkdownText({
      copy: (code) => done.push(`copy ${code}`),
      insert: (code) => done.push(`insert ${code}`),
      follow: (href) => done.push(`follow ${href}`),
    });
  });

  const html = (source: string): string => {
    text.show(source);
    return text.element.innerHTML;
  };

  test("has headings, lists, tables and emphasis", () => {
    text.show("# One\n\n- a **b**\n- [x] c\n\n| h |\n|---|\n| d |\n\n1. e\n");
    const found = (selector: string): string | undefined =>
      text.element.querySelector(selector)?.textContent ?? undefined;
    assert.equal(found("h3"), "One");
    assert.equal(found("li strong"), "b");
    assert.equal(found("td"), "d");
    assert.equal(found("ol li"), "e");
    assert.equal(text.element.querySelectorAll("input[type=checkbox]").length, 1);
  });

  test("has code blocks that can be copied and inserted", () => {
    text.show("```py\nprint(1)\n```\n");
    assert.equal(text.element.querySelector("pre code")?.textContent, "print(1)");
    for (const button of text.element.querySelectorAll("button")) {
      button.click();
    }
    assert.deepEqual(done, ["copy print(1)", "insert print(1)"]);
  });

  test("shows HTML as the text that it is", () => {
    for (const source of [
      '<script>alert("x")</script>',
      'a <img src=x onerror="alert(1)"> b',
      "<details open ontoggle=alert(1)>",
      "- <b>c</b>",
    ]) {
      text.show(source);
      assert.equal(text.element.querySelector("script, img, details, b"), null, source);
    }
    assert.match(html("a <i>b</i>"), /&lt;i&gt;/);
  });

  test("makes links only of web addresses, and pictures never", () => {
    for (const source of [
      "[a](javascript:alert(1))",
      "[a](command:workbench.action.quit)",
      "[a](vscode://x)",
      "![a](data:image/png;base64,AA)",
    ]) {
      text.show(source);
      assert.equal(text.element.querySelector("a, img, button"), null, source);
    }
    text.show("![a picture](https://example.org/a.png) [words](https://example.org/)");
    assert.equal(text.element.querySelector("img"), null);
    const [picture, link] = text.element.querySelectorAll("button");
    assert.equal(picture?.textContent, "a picture");
    link?.click();
    assert.deepEqual(done, ["follow https://example.org/"]);
  });

  test("keeps the elements of what did not change while a text grows", () => {
    const whole = "One.\n\n```js\nlet a = 1;\n```\n\nThree is here.";
    text.show("One.\n\n```js\nlet");
    const first = text.element.firstChild;
    for (let length = 15; length <= whole.length; length++) {
      text.show(whole.slice(0, length));
    }
    assert.equal(text.element.firstChild, first);
    assert.deepEqual(
      [...text.element.childNodes].map((node) => node.nodeName),
      ["P", "FIGURE", "P"],
    );
  });
});
