/** The project of the story: a shop that adds up its orders wrongly, and the model's lines. */

export const FILES: Record<string, string> = {
  "pyproject.toml": "[project]\nname = 'shop'\n",
  "AGENTS.md": "# Rules\n\n- Amounts are integer cents.\n",
  "shop.py": `"""Orders and what they cost."""


def total(order):
    return sum(item.price for item in order.items)


def shipping(order):
    return 0 if total(order) > 5000 else 490


def rebate(order):
    return sum(item.price for item in order.items) // 10
`,
  "test_shop.py": `import unittest
from types import SimpleNamespace as Row

from shop import rebate, total

ORDER = Row(items=[Row(price=250, count=2), Row(price=100, count=1)])


class ShopTest(unittest.TestCase):
    def test_total_counts_every_piece(self):
        self.assertEqual(total(ORDER), 600)

    def test_rebate_is_a_tenth(self):
        self.assertEqual(rebate(ORDER), 60)
`,
};

const OLD = "sum(item.price for item in order.items)";
export const NEW = "sum(item.price * item.count for item in order.items)";

interface Line {
  readonly say?: string;
  readonly calls?: readonly { tool: string; arguments: object }[];
  readonly hang?: boolean;
}

export function script(...lines: Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

const read = { tool: "read", arguments: { path: "shop.py" } };

/** Reads, edits in two places, and says so. */
export const MEND = script(
  { say: "I will look at `shop.py` first.", calls: [read] },
  {
    say: "An item's **count** is never used: both sums forget it.",
    calls: [{ tool: "edit", arguments: { path: "shop.py", old: OLD, new: NEW, all: true } }],
  },
  {
    say: `Both sums now count every piece:

\`\`\`python
def total(order):
    return ${NEW}
\`\`\`

- \`total\` and \`rebate\` are changed, \`shipping\` follows from \`total\`
- the tests say what they should be
`,
  },
);

/** Begins to speak, and then never ends. */
export const HANG = script(
  { say: "Let me read all of it again before I answer…", calls: [read] },
  { hang: true },
);

/** Wants to run the tests, and tells how they went. */
export const TEST = script(
  {
    say: "I will run the tests.",
    calls: [{ tool: "shell", arguments: { command: "python3 -m unittest" } }],
  },
  { say: "The tests were run." },
);

/** Looks harmless at a glance: what it does is far down, turned round, and overwritten. */
const HARMLESS = "echo 'the tests are fine' \u202e txt.seton \u2066# \u001b[2K\u001b[1A\r";
export const DISGUISED = script(
  {
    say: "I will look once more.",
    calls: [
      {
        tool: "shell",
        arguments: {
          command: `${HARMLESS}\n${"\n".repeat(40)}r\u200bm -rf ../elsewhere/${"x".repeat(300)}`,
        },
      },
    ],
  },
  { say: "Then not." },
);
