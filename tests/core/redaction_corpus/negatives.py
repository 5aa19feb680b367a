"""What looks like a secret and is none: masking it would spoil the memory."""

from __future__ import annotations

from tests.core.redaction_corpus.drawing import Draw

_CODE = """
litellm_api_key="name"
api_key=os.environ["OPENAI_API_KEY"]
token: str | None = None
password: str = Field(..., min_length=8)
def login(user: str, password: str) -> Token:
self.token = token
token = tokenizer.next_token()
const token = await getAccessToken();
if token.kind == TokenKind.IDENTIFIER:
secret = secrets.token_hex(32)
password = getpass.getpass("Password: ")
parser.add_argument("--password", help="The password of the database")
export TOKEN=$(gh auth token)
GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}
AUTH_TOKEN=${AUTH_TOKEN}
SECRET_KEY = env("SECRET_KEY")
apiKey: process.env.API_KEY2,
password=password
"password": {"type": "string", "minLength": 8}
<input type="password" name="password" placeholder="Enter your password">
DB_PASSWORD=changeme
DB_PASSWORD=your-password-here
API_KEY=<your-api-key>
API_KEY=xxxxxxxxxxxxxxxxxxxxxxxx
api_key: "YOUR_API_KEY_HERE"
password: "********"
postgres://user:password@localhost/db
postgres://postgres:postgres@localhost:5432/postgres
postgresql://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app
f"postgresql://{user}:{password}@{host}/{name}"
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer ${ACCESS_TOKEN}
-H "Authorization: token YOUR_TOKEN_HERE"
headers["Authorization"] = f"Bearer {self.token}"
The Authorization header carries a bearer token of the session.
max_tokens=128000, budget_tokens: 4096
tokens_used: 18234
token_count = len(tokens)
next_page_token = response.get("next_page_token")
sorted(items, key=lambda item: item.registered_at)
primary_key=True, foreign_key="projects.id"
cache_key = f"{prefix}:{digest}"
publicKeyToken=b77a5c561934e089
public_key = "AAAAC3NzaC1lZDI1NTE5AAAAIDp7cQ"
partition_key: "customer_region_2024"
keyboard_shortcut = "ctrl+shift+p"
token_url = "https://login.host.io/oauth2/token"
password_file = "/run/secrets/db_password"
secret_name = "prod-db-credentials-v2"
secretKeyRef: {name: database-credentials, key: password}
secretName: wildcard-tls-2024
password_hasher = "pbkdf2_sha256"
PASSWORD_ENCRYPTION=scram-sha-256
auth_method: oauth2
token_type: bearer
passphrase: null
"pass": true, "passed": 118, "failed": 2
pass: 42, fail: 3, skip: 1
bypass=1
compass: 270.5
OPENAI_API_KEY=sk-...
sk-folding-cube sk-spinner-three-bounce-animation
ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
AKIAXXXXXXXXXXXXXXXX
key-value-store-with-many-words-in-it
data-key="navigation.menu.settings"
i18n.t("errors.password.too_short_minimum_8")
"auth.password.reset.title": "Reset your password"
assert token == "abc"
raise ValueError("token is missing or malformed")
The password is stored in the vault, the token is rotated weekly.
the secret is to mock nothing
git@github.com:org/repo.git
ssh://git@host.io:2222/org/repo.git
https://host.io/a:b/c@d
mailto:ana@host.io
http://localhost:8080/@scope/package
import { createSecretKey, type KeyObject } from "node:crypto"
interface Props { token: string; password?: string; apiKey: string | undefined }
private readonly accessToken: AccessToken;
type Token = { kind: TokenKind; value: string }
func (c *Client) SetToken(token string) error {
let api_key = std::env::var("API_KEY2")?;
String password = request.getParameter("password1");
password = args.password or config.password
credentials = Credentials.from_file(path)
credentials: 'include',
credentials: 'same-origin',
basic authentication is enabled
Basic settings2
keys = ["alpha1", "beta2"]
access_key = settings.AWS_ACCESS_KEY
signing_key = load_signing_key(path)
encryption_key_id = "alias/app-key-2024"
api_key_header = APIKeyHeader(name="X-API-Key")
X-Api-Key: {{api_key}}
?token={token}&user={user}
?api_key=YOUR_KEY&format=json
tokenizer = "cl100k_base"
"tokenizer_class": "GPT2TokenizerFast"
session_key = "session:v1:users"
user_key: "profile_settings_v2"
"""

_PROSE = """
We moved the session store from Redis to Postgres in release 4.2.1 because of eviction.
The worker holds a lease of 30 seconds and renews it at 20; see docs/leases.md.
Port 6432 is PgBouncer, port 5432 is Postgres itself; use --statement-timeout=15s for reports.
ERR_TLS_4711 means that the certificate of the proxy has expired; run infra/renew.sh.
Use `parseConfigFile` and never `HTTPServerError` directly, the wrapper adds the request id.
Prefer snake_case_names_even_if_they_are_long_and_awkward_to_read in Python modules.
Die Schlüssel liegen im Tresor, das Passwort kennt nur die Verwaltung.
パスワードは環境変数から読みます。トークンは保存しません。
"""


def negatives(seed: int) -> list[str]:
    """At least two hundred lines and files."""
    d = Draw(seed)
    lines = [line for line in (_CODE + _PROSE).splitlines() if line.strip()]
    for _ in range(6):
        lines += _drawn(d)
    return lines


def _drawn(d: Draw) -> list[str]:
    package = d.of("abcdefghijklmnopqrstuvwxyz", 7)
    image = d.base64(1800)
    return [
        f"commit {d.hex(40)}",
        f"{d.hex(7)} Fix the token parser",
        f"index {d.hex(7)}..{d.hex(7)} 100644",
        f"Merge: {d.hex(9)} {d.hex(9)}",
        f"request {d.uuid()} took 31 ms",
        f'"id": "{d.uuid()}",',
        f"session_id={d.uuid()}",
        f'"trace_id": "{d.hex(32)}", "span_id": "{d.hex(16)}"',
        f"sha256:{d.hex(64)}",
        f"{d.hex(64)}  release.tar.gz",
        f"{d.hex(128)}  release.tar.gz",
        f"{d.hex(32)}  md5.txt",
        f"FROM python:3.12-slim@sha256:{d.hex(64)}",
        f'"integrity": "sha512-{d.base64(64)}"',
        f'"resolved": "https://registry.npmjs.org/{package}/-/{package}-1.2.3.tgz#{d.hex(40)}"',
        f"github.com/{package}/{package} v1.9.0 h1:{d.base64(32)}",
        f"golang.org/x/{package} v0.3.0/go.mod h1:{d.base64(32)}",
        f'checksum = "{d.hex(64)}"',
        f'{{file = "{package}-1.0-py3-none-any.whl", hash = "sha256:{d.hex(64)}"}},',
        f"    --hash=sha256:{d.hex(64)} \\",
        f'etag: W/"{d.hex(32)}"',
        f"cache-key: {d.hex(64)}",
        f"![logo](data:image/png;base64,{image})",
        f'<img src="data:image/jpeg;base64,{image}">',
        f"url(data:font/woff2;base64,{image})",
        _minified(d),
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{d.alnum(43)} ana@host",
        f"-----BEGIN CERTIFICATE-----\n{image[:64]}\n{image[64:128]}\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{image[:64]}\n-----END PUBLIC KEY-----",
        f"static/js/main.{d.hex(8)}.chunk.js",
        f"0x{d.hex(40)}",
        f"arn:aws:iam::{d.digits(12)}:role/{package}",
        f"build {d.digits(10)} of {d.digits(8)}, {d.digits(13)} ns",
        f'"_resolved": "git+ssh://git@github.com/{package}/{package}.git#{d.hex(40)}"',
    ]


def _minified(d: Draw) -> str:
    names = [d.of("abcdefghijklmnopqrstuvwxyz", 1) + d.of("abcdefABCDEF0123", 1) for _ in range(60)]
    pieces = [
        f"function {a}({b}){{return {b}.token?{b}.token.key:{a}[{b}]||(t.password={b})}}var {b}="
        f'{{key:"{a}",token:{b},secret:!0,apiKey:{a}.apiKey}};{a}.pass={b}&&{a}(0x{d.hex(4)});'
        for a, b in zip(names[::2], names[1::2], strict=True)
    ]
    return "!" + "".join(pieces)
