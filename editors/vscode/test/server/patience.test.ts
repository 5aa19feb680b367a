import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "../../src/server/patience.ts";

test("each crash is waited for longer, and the fifth in five minutes ends it", () => {
  const patience = new Patience();
  const waits = [0, 10, 20, 30, 40].map((seconds) => patience.afterCrash(seconds * 1_000));
  assert.deepEqual(waits, [1_000, 3_000, 9_000, 27_000, undefined]);
});

test("crashes of long ago do not count", () => {
  const patience = new Patience();
  for (let hour = 0; hour < 20; hour++) {
    assert.equal(patience.afterCrash(hour * 3_600_000), 1_000);
  }
});

test("whoever starts the server by hand begins anew", () => {
  const patience = new Patience();
  for (let crash = 0; crash < 5; crash++) {
    patience.afterCrash(0);
  }
  patience.begin();
  assert.equal(patience.afterCrash(1), 1_000);
});
