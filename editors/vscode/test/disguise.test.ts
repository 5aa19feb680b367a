import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, plain } from "../src/disguise.ts";

test("words in any writing, line feeds and tabs are left as they are", () => {
  for (const text of ["make test", "a\n\tb", "größe 大きさ حجم", "echo 'a  b' | wc -l", "👍"]) {
    assert.deepEqual(pieces(text), [{ text, isMark: false }]);
  }
  assert.deepEqual(pieces(""), []);
});

test("what would turn, hide or overwrite the rest is named", () => {
  const named: [string, string][] = [
    ["ls \u001b[2K\rrm", "ls \\x1b[2K\\x0drm"],
    ["a\u202etxt.sh\u2069", "a\\u202etxt.sh\\u2069"],
    ["r\u200bm\ufeff", "r\\u200bm\\ufeff"],
    ["rm\u00a0-rf\u2003x\u3164", "rm\\xa0-rf\\u2003x\\u3164"],
    ["a\u2028b\u0085", "a\\u2028b\\x85"],
    ["a\u{e0041}\ud800", "a\\u{e0041}\\ud800"],
  ];
  for (const [text, shown] of named) {
    assert.equal(plain(text), shown);
  }
  // A text that only looks like a mark is none.
  assert.deepEqual(
    pieces("\\x1b\u001b").map((piece) => piece.isMark),
    [false, true],
  );
});
