/** Characters that make a text look like another one, shown as what they are. */

/**
 * Controls but for tab and line feed; what turns the direction of writing round; what has no width,
 * no ink, or looks like the space that separates words and is none.
 */
const DISGUISES =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;
const HARMLESS = new Set(["\n", "\t"]);

export interface Piece {
  readonly text: string;
  readonly isMark: boolean;
}

/** The text in pieces; those that are marks stand for one character each. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let plainFrom = 0;
  const push = (piece: string, isMark: boolean): void => {
    if (piece) {
      found.push({ text: piece, isMark });
    }
  };
  for (const match of text.matchAll(DISGUISES)) {
    if (!HARMLESS.has(match[0])) {
      push(text.slice(plainFrom, match.index), false);
      push(nameOf(match[0]), true);
      plainFrom = match.index + match[0].length;
    }
  }
  push(text.slice(plainFrom), false);
  return found;
}

/** The text in a line of plain words. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join("");
}

/** As the terminal shows it: \x1b, \u202e. */
function nameOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) {
    return `\\x${code.padStart(2, "0")}`;
  }
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
}
