"""Secrets of some sixty kinds, each in places where secrets are found."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.core.redaction_corpus.drawing import Draw


@dataclass(frozen=True)
class Planted:
    """A text and the secret in it; what of the secret must be gone is `parts`."""

    kind: str
    text: str
    parts: tuple[str, ...]


# Makers' tokens: they are known anywhere. The marks are split so that none stands here whole.
TOKENS: dict[str, Callable[[Draw], str]] = {
    "github": lambda d: "gh" + "p_" + d.alnum(36),
    "github-server": lambda d: "gh" + "s_" + d.alnum(36),
    "github-oauth": lambda d: "gh" + "o_" + d.alnum(36),
    "github-fine": lambda d: "github" + "_pat_" + d.alnum(22) + "_" + d.alnum(59),
    "gitlab": lambda d: "glp" + "at-" + d.alnum(20),
    "gitlab-runner": lambda d: "gl" + "rt-" + d.alnum(20),
    "aws-id": lambda d: "AK" + "IA" + d.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "aws-session-id": lambda d: "AS" + "IA" + d.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "google": lambda d: "AI" + "za" + d.alnum(35),
    "google-oauth": lambda d: "GOC" + "SPX-" + d.alnum(28),
    "google-access": lambda d: "ya" + "29." + d.alnum(120),
    "slack-bot": lambda d: "xo" + f"xb-{d.digits(12)}-{d.digits(12)}-{d.alnum(24)}",
    "slack-user": lambda d: "xo" + f"xp-{d.digits(11)}-{d.digits(11)}-{d.digits(12)}-{d.hex(32)}",
    "slack-app": lambda d: "xa" + f"pp-1-A{d.upper(10)}-{d.digits(13)}-{d.hex(64)}",
    "stripe": lambda d: "sk" + "_live_" + d.alnum(24),
    "stripe-restricted": lambda d: "rk" + "_live_" + d.alnum(99),
    "stripe-webhook": lambda d: "wh" + "sec_" + d.alnum(32),
    "openai": lambda d: "s" + "k-" + d.alnum(48),
    "openai-project": lambda d: "s" + "k-proj-" + d.alnum(74) + "T3Bl" + "bkFJ" + d.alnum(74),
    "anthropic": lambda d: "s" + "k-ant-api03-" + d.alnum(93) + "AA",
    "huggingface": lambda d: (
        "h" + "f_" + d.of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 34)
    ),
    "groq": lambda d: "gs" + "k_" + d.alnum(52),
    "replicate": lambda d: "r" + "8_" + d.alnum(37),
    "npm": lambda d: "np" + "m_" + d.alnum(36),
    "pypi": lambda d: "py" + "pi-AgEIcHlwaS5vcmc" + d.alnum(140),
    "rubygems": lambda d: "ruby" + "gems_" + d.hex(48),
    "digitalocean": lambda d: "do" + "p_v1_" + d.hex(64),
    "sendgrid": lambda d: "S" + "G." + d.alnum(22) + "." + d.alnum(43),
    "mailgun": lambda d: "ke" + "y-" + d.hex(32),
    "mailchimp": lambda d: d.hex(32) + "-u" + "s14",
    "brevo": lambda d: "xkey" + "sib-" + d.hex(64) + "-" + d.alnum(16),
    "telegram": lambda d: d.digits(10) + ":A" + "A" + d.alnum(33),
    "shopify": lambda d: "shp" + "at_" + d.hex(32),
    "square": lambda d: "sq0" + "atp-" + d.alnum(22),
    "linear": lambda d: "lin" + "_api_" + d.alnum(40),
    "notion": lambda d: "sec" + "ret_" + d.alnum(43),
    "notion-new": lambda d: "nt" + "n_" + d.alnum(46),
    "figma": lambda d: "fi" + "gd_" + d.alnum(40),
    "databricks": lambda d: "da" + "pi" + d.hex(32),
    "vault": lambda d: "hv" + "s." + d.alnum(90),
    "terraform": lambda d: d.alnum(14) + ".atlas" + "v1." + d.alnum(67),
    "pulumi": lambda d: "pu" + "l-" + d.hex(40),
    "docker": lambda d: "dck" + "r_pat_" + d.alnum(27),
    "tailscale": lambda d: "ts" + "key-auth-" + d.alnum(12) + "CNTRL-" + d.alnum(32),
    "atlassian": lambda d: "ATA" + "TT3xFfGF0" + d.alnum(180) + "=" + d.hex(8).upper(),
    "sentry": lambda d: "snt" + "rys_" + d.alnum(120),
    "grafana": lambda d: "gl" + "sa_" + d.alnum(32) + "_" + d.hex(8),
    "newrelic": lambda d: "NR" + "AK-" + d.upper(27),
    "postman": lambda d: "PM" + "AK-" + d.hex(24) + "-" + d.hex(34),
    "circleci": lambda d: "CCI" + "PAT_" + d.alnum(22) + "_" + d.hex(40),
    "jwt": lambda d: ".".join(
        (
            d.json_base64({"alg": "HS256", "typ": "JWT"}),
            d.json_base64({"sub": d.digits(10), "name": "A User", "iat": 1516239022}),
            d.base64url(32),
        )
    ),
    "age": lambda d: "AGE-SEC" + "RET-KEY-1" + d.upper(58),
}

# Places that say nothing of what stands in them.
_PLACES: tuple[Callable[[str], str], ...] = (
    lambda s: f"VALUE={s}\nPORT=8080\n",
    lambda s: json.dumps({"level": "info", "msg": f"using {s} for the call", "n": 3}),
    lambda s: f"deploy:\n  env:\n    value: {s}\n    region: eu-west-1\n",
    lambda s: f'client = Client("{s}")\n',
    lambda s: f"2026-11-22T10:00:00Z INFO starting with {s}\n",
    lambda s: f"curl -H 'X-Thing: {s}' https://api.host.io/v1/items\n",
    lambda s: f"GET https://api.host.io/v1/items?q=1&v={s}&page=2 HTTP/1.1\n",
    lambda s: f"- The staging one is `{s}`, ask Ana.\n",
    lambda s: json.dumps(f"first line\n{s}\nlast line"),
)


def tokens(seed: int) -> list[Planted]:
    """Each kind in three of the places."""
    draw = Draw(seed)
    planted: list[Planted] = []
    for number, (kind, make) in enumerate(TOKENS.items()):
        for turn in range(3):
            secret = make(draw)
            place = _PLACES[(number + turn * 4) % len(_PLACES)]
            # The number before the colon is the bot's name, not its secret.
            shown = secret.split(":")[1] if kind == "telegram" else secret
            planted.append(Planted(kind, place(secret), (shown,)))
    return planted


def named(seed: int) -> list[Planted]:
    """Secrets without a mark of their own, betrayed by name or by place."""
    d = Draw(seed)
    cases: list[tuple[str, str, str]] = []

    def add(kind: str, secret: str, text: str) -> None:
        cases.append((kind, text.replace("{}", secret), secret))

    thought_up = "Winter" + d.of("-!%", 1) + "storm" + d.digits(2)
    add("password-env", d.alnum(14), "DB_PASSWORD={}\nDB_HOST=localhost\n")
    add("password-env", thought_up, "export PGPASSWORD={}\n")
    add("password-env", "Blue" + "whale77", "ADMIN_PASSWORD='{}'\n")
    add("password-json", d.alnum(16), '{"user": "ana", "password": "{}", "port": 5432}')
    add("password-json", thought_up, '{"db": {"passwd":"{}"}}')
    add("password-yaml", d.alnum(12), "database:\n  user: ana\n  password: {}\n  port: 5432\n")
    add("password-yaml", thought_up, "smtp_password: '{}'\n")
    add("password-code", d.alnum(18), 'connect(host="db", password="{}")\n')
    add("password-code", thought_up, "const dbPassword = '{}';\n")
    add("password-shell", d.alnum(16), "mysql -u root --password={} shop\n")
    add("password-shell", d.alnum(16), "vault login --password {} --method userpass\n")
    add("password-toml", d.alnum(20), '[database]\npassword = "{}"\n')
    add("password-ini", d.alnum(20), "[smtp]\nuser=ana\npassword={}\n")
    add("password-prose", d.alnum(14), "The password is {} since Monday.\n")
    add("password-markdown", d.alnum(14), "- **Password**: `{}`\n")
    add("aws-secret", d.base64(30), "AWS_SECRET_ACCESS_KEY={}\n")
    add("aws-secret", d.base64(30), "aws_secret_access_key = {}\nregion = eu-west-1\n")
    add("aws-secret", d.base64(30), '{"SecretAccessKey": "{}"}')
    add("api-key", d.hex(32), "DD_API_KEY={}\n")
    add("api-key", d.alnum(40), "ALGOLIA_ADMIN_API_KEY: {}\n")
    add("api-key", d.lower(32), 'apiKey: "{}",\n')
    add("api-key", d.hex(40), "https://api.host.io/v2/data?api_key={}&limit=20")
    add("api-key", d.hex(32), "curl -H 'X-Api-Key: {}' https://api.host.io\n")
    add("api-key", d.uuid(), 'HEROKU_API_KEY="{}"\n')
    add("client-secret", d.alnum(34), '{"client_id": "web", "client_secret": "{}"}')
    add("client-secret", d.alnum(40), "OAUTH_CLIENT_SECRET={}\n")
    add("secret-key", d.alnum(50), "SECRET_KEY = '{}'\n")
    add("secret-key", d.hex(128), "SECRET_KEY_BASE={}\n")
    add("secret-key", d.base64(32), "encryption_key: {}\n")
    add("secret-key", d.base64(32), "FERNET_KEY={}\n")
    add("jwt-secret", d.hex(64), "JWT_SECRET={}\n")
    add("jwt-secret", "keyboard" + "cat99", 'JWT_SECRET="{}"\n')
    add("token", d.hex(40), '{"access_token": "{}", "expires_in": 3600}')
    add("token", d.alnum(64), "refreshToken: '{}',\n")
    add("token", d.hex(40), "SONAR_TOKEN={} ./gradlew sonar\n")
    add("token", d.lower(36), "//registry.npmjs.org/:_authToken={}\n")
    add("token", d.alnum(24), 'token := "{}"\n')
    add("token", d.alnum(24), 'TOKEN: Final[str] = "{}"\n')
    add("token", d.alnum(24), "'token' => '{}',\n")
    add("token", d.alnum(28), '{\\"auth_token\\": \\"{}\\"}')
    add("token", d.alnum(28), 'os.environ["SERVICE_TOKEN"] = "{}"\n')
    add("docker-auth", "", "")
    add("bearer", d.alnum(40), "Authorization: Bearer {}\n")
    add("bearer", d.hex(40), 'headers = {"Authorization": "token {}"}\n')
    add("bearer", d.alnum(40), 'curl -H "authorization: bearer {}" https://api.host.io\n')
    add("bearer", d.alnum(32), "sent header bearer {} and got 401\n")
    add("basic", _basic(d), "Authorization: Basic {}\n")
    add("basic", _basic(d), '{"Proxy-Authorization": "Basic {}"}')
    add("url-password", d.alnum(16), "DATABASE_URL=postgres://app:{}@db.host.io:5432/shop\n")
    add("url-password", d.alnum(16), "redis://:{}@cache:6379/0\n")
    add("url-password", thought_up, "mongodb+srv://ana:{}@cluster0.host.net/app\n")
    add("url-password", d.alnum(20), 'broker = "amqp://svc:{}@mq:5672//"\n')
    add("url-password", d.alnum(24), "git clone https://ana:{}@git.host.io/a/b.git\n")
    add("url-password", d.hex(40), "git remote add o https://{}@git.host.io/a/b.git\n")
    account_key = d.base64(64)
    add("azure", account_key, "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};Suffix=x")
    add("azure", d.base64(32), "Endpoint=sb://a.windows.net/;SharedAccessKey={}\n")
    add(
        "azure-sas", d.alnum(43) + "%3D", "https://a.blob.host.net/c/f?sv=2022-11-02&sig={}&se=2026"
    )
    slack = "https://hooks.sl" + "ack.com/services/"
    add("slack-webhook", f"T{d.upper(8)}/B{d.upper(8)}/{d.alnum(24)}", f"url: {slack}" + "{}\n")
    discord = "https://discord.com/api/web" + "hooks/"
    add("discord-webhook", d.alnum(68), f"{discord}{d.digits(18)}/" + "{}")
    bot = "M" + d.alnum(23) + "." + d.alnum(6) + "." + d.alnum(27)
    add("discord", bot, "discord.login({})\n")
    add("twilio", "S" + "K" + d.hex(32), "twilio: key {} was revoked\n")
    add("twilio", d.hex(32), "TWILIO_AUTH_TOKEN={}\n")
    planted = [Planted(kind, text, (secret,)) for kind, text, secret in cases if secret]
    return planted + _blocks(d)


def _basic(d: Draw) -> str:
    return base64.b64encode(f"ana:{d.alnum(14)}".encode()).decode()


def _blocks(d: Draw) -> list[Planted]:
    planted: list[Planted] = []
    for kind in ("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "):
        lines = d.lines(600)
        head, tail = (f"-----{word} {kind}PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
        block = "\n".join((head, *lines, tail))
        planted += [
            Planted("private-key", f"Here it is:\n{block}\nThanks.\n", tuple(lines)),
            Planted("private-key", json.dumps({"private_key": block + "\n"}), tuple(lines)),
        ]
    lines = d.lines(600)
    cut = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "\n".join(lines)
    planted.append(Planted("private-key", cut, tuple(lines)))
    pgp = "PGP PRIVATE " + "KEY BLOCK-----"
    block = "\n".join((f"-----BEGIN {pgp}", "Version: GnuPG v2", "", *lines, f"-----END {pgp}"))
    planted.append(Planted("private-key", block, tuple(lines)))
    indented = "key: |\n  " + block.replace("\n", "\n  ")
    planted.append(Planted("private-key", indented, tuple(lines)))
    return planted
