"""The shapes of tokens that their makers gave a mark of their own.

A rule is found by a literal, not by its pattern: looking for a literal costs next to nothing, and
the pattern is then tried at that place only. Every repetition in a pattern is bounded or
possessive, so that no text, however made, costs more than its length.

The formats come from the makers' documentation and from tokens as they are seen; lengths are read
generously, because makers lengthen their tokens without notice and a masked tail harms nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Where a token may begin: after no letter or digit, or after what JSON (`\n`) and URLs (`%3D`)
# put before it. Marks that no name holds need no such guard.
_B = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"

# The same for the dotted runs of JSON Web Tokens, whose marks may repeat within a run: trying each
# would cost the square of its length.
_RUN_START = r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape: `pattern` is matched where one of `marks` stands, and masks its first group, or
    all of it. `folded`: the marks are in lower case and found in any case. `wordless`: the shape is
    weak (`sk-...` is a style sheet's class too), so what matches must also be made of no words.
    `back`: how many characters before its mark a match may begin.
    """

    kind: str
    marks: tuple[str, ...]
    pattern: str
    folded: bool = False
    wordless: bool = False
    back: int = 0

    @property
    def compiled(self) -> re.Pattern[str]:
        """The pattern; compiled when its mark is first seen, so that starting costs nothing."""
        return _compiled(self.pattern)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


RULES: tuple[Rule, ...] = (
    # Source code and packages
    Rule("github", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[opusr]_[A-Za-z0-9_]{20,255}+"),
    Rule("github", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}+"),
    Rule(
        "gitlab",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glagent-", "glft-", "glimt-"),
        r"gl(?:pat|dt|rt|ptt|cbt|soat|agent|ft|imt)-[\w.-]{20,300}+",
    ),
    Rule("bitbucket", ("ATBB",), _B + r"ATBB[A-Za-z0-9_=.-]{24,}+"),
    Rule("atlassian", ("ATATT3", "ATCTT3"), r"AT[AC]TT3[\w=-]{40,}+"),
    Rule("npm", ("npm_",), _B + r"npm_[A-Za-z0-9]{36,}+"),
    Rule("pypi", ("pypi-AgE",), r"pypi-AgE[\w-]{40,}+"),
    Rule("rubygems", ("rubygems_",), r"rubygems_[a-f0-9]{40,}+"),
    Rule("crates", ("cio",), _B + r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    Rule("nuget", ("oy2",), _B + r"oy2[a-z0-9]{43}(?![A-Za-z0-9])"),
    Rule("clojars", ("CLOJARS_",), r"CLOJARS_[a-z0-9]{56,}+"),
    Rule("jfrog", ("AKCp", "cmVmdGtuO"), _B + r"(?:AKCp[A-Za-z0-9]{60,}+|cmVmdGtuO[\w-]{40,}+)"),
    # Clouds
    Rule(
        "aws",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        _B + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Rule("aws-bedrock", ("ABSK",), _B + r"ABSK[A-Za-z0-9+/]{90,}+={0,2}"),
    Rule("google", ("AIza",), _B + r"AIza[\w-]{35,}+"),
    Rule("google-oauth", ("GOCSPX-",), r"GOCSPX-[\w-]{20,}+"),
    Rule("google-oauth", ("ya29.",), _B + r"ya29\.[\w.-]{20,}+"),
    Rule("google-oauth", ("1//0",), _B + r"1//0[\w-]{30,}+"),
    Rule(
        "azure",
        ("accountkey=", "sharedaccesskey=", "accesskey="),
        r"(?i)(?:account|sharedaccess|access)key=([A-Za-z0-9+/%]{32,}+={0,2})",
        folded=True,
    ),
    Rule("azure-sas", ("sig=",), r"(?:(?<=[?&;])|(?<=u0026))sig=([A-Za-z0-9%+/_-]{40,}+={0,2})"),
    Rule(
        "azure-entra",
        ("7Q~", "8Q~"),
        r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}",
        back=3,
    ),
    Rule("digitalocean", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{60,}+"),
    Rule("alibaba", ("LTAI",), _B + r"LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9])"),
    Rule("tencent", ("AKID",), _B + r"AKID[A-Za-z0-9]{32,}+"),
    Rule("heroku", ("HRKU-",), r"HRKU-[\w-]{30,}+"),
    Rule("fly", ("fm1a_", "fm1r_", "fm2_", "fo1_"), _B + r"(?:fm1[ar]|fm2|fo1)_[\w+/=-]{40,}+"),
    Rule("vercel", ("vcp_", "vci_", "vca_"), _B + r"vc[pia]_[A-Za-z0-9]{40,}+"),
    Rule("netlify", ("nfp_", "nfc_"), _B + r"nf[pc]_[A-Za-z0-9]{36,}+"),
    Rule("cloudflare", ("v1.0-",), _B + r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}+"),
    Rule("supabase", ("sbp_", "sb_secret_"), _B + r"sb(?:p|_secret)_[\w-]{30,}+"),
    Rule("planetscale", ("pscale_",), r"pscale_(?:tkn|pw|oauth)_[\w.-]{30,}+"),
    Rule("databricks", ("dapi",), _B + r"dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])"),
    Rule("vault", ("hvs.", "hvb.", "hvr."), _B + r"hv[sbr]\.[\w-]{20,}+"),
    Rule("terraform", (".atlasv1.",), r"[A-Za-z0-9]{10,14}\.atlasv1\.[\w-]{60,90}", back=14),
    Rule("pulumi", ("pul-",), _B + r"pul-[a-f0-9]{40}(?![A-Za-z0-9])"),
    Rule("docker", ("dckr_pat_", "dckr_oat_"), r"dckr_[po]at_[\w-]{20,}+"),
    Rule("doppler", ("dp.",), _B + r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}+"),
    Rule("infracost", ("ico-",), _B + r"ico-[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    Rule("onepassword", ("ops_eyJ",), r"ops_eyJ[\w=-]{80,}+"),
    Rule("tailscale", ("tskey-",), r"tskey-[a-z]{2,12}-[A-Za-z0-9-]{20,}+"),
    # Models
    Rule("anthropic", ("sk-ant-",), r"sk-ant-[\w-]{20,}+"),
    Rule("openai", ("sk-",),
         _B + r"sk-(?!ant-)(?:[a-z]{2,10}-)?[A-Za-z0-9_-]{20,}+", wordless=True),
    Rule("huggingface", ("hf_", "api_org_"), _B + r"(?:hf|api_org)_[A-Za-z0-9]{30,}+"),
    Rule("groq", ("gsk_",), _B + r"gsk_[A-Za-z0-9]{40,}+"),
    Rule("xai", ("xai-",), _B + r"xai-[A-Za-z0-9]{60,}+"),
    Rule("replicate", ("r8_",), _B + r"r8_[A-Za-z0-9]{37,}+"),
    Rule("perplexity", ("pplx-",), _B + r"pplx-[A-Za-z0-9]{40,}+"),
    Rule("nvidia", ("nvapi-",), _B + r"nvapi-[\w-]{50,}+"),
    # Messages and mail
    Rule("slack", ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xoxc-", "xoxd-"),
         r"xox[a-z](?:\.xox[bp])?-[\w%+/-]{10,}+"),
    Rule("slack", ("xapp-",), _B + r"xapp-\d-[A-Z0-9]{8,}-\d{8,}-[a-f0-9]{32,}+"),
    Rule("slack-webhook", ("hooks.slack.com/",),
         r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/-]{20,}+)"),
    Rule("discord-webhook", ("/api/webhooks/",), r"/api/webhooks/\d{10,25}/([\w-]{40,}+)"),
    Rule("teams-webhook", (".webhook.office.com/",),
         r"\.webhook\.office\.com/webhookb2/([\w@/-]{60,}+)"),
    Rule("telegram", (":AA",), r"(?<=\d{7}):(AA[\w-]{32,35}+)(?![\w-])"),
    Rule("sendgrid", ("SG.",), _B + r"SG\.[\w-]{16,32}\.[\w-]{30,}+"),
    Rule("mailgun", ("key-",), _B + r"key-[a-f0-9]{32}(?![A-Za-z0-9])"),
    Rule("mailchimp", ("-us",), r"[a-f0-9]{32}-us\d{1,2}(?![A-Za-z0-9])", back=32),
    Rule("brevo", ("xkeysib-", "xsmtpsib-"), r"x(?:key|smtp)sib-[a-f0-9]{60,}-[A-Za-z0-9]{16}"),
    Rule("resend", ("re_",), _B + r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}+", wordless=True),
    # Money and shops
    Rule("stripe", ("sk_live_", "rk_live_", "sk_test_", "rk_test_", "sk_org_"),
         r"[sr]k_(?:live|test|org)_[A-Za-z0-9_]{16,}+"),
    Rule("stripe", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,}+"),
    Rule("square", ("sq0atp-", "sq0csp-"), r"sq0(?:atp|csp)-[\w-]{22,}+"),
    Rule("square", ("EAAA",), _B + r"EAAA[\w-]{60}(?![\w-])"),
    Rule("shopify", ("shpat_", "shpca_", "shppa_", "shpss_"),
         r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    Rule("braintree", ("access_token$",), r"access_token\$\w{4,12}\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    Rule("razorpay", ("rzp_live_",), r"rzp_live_[A-Za-z0-9]{14,}+"),
    Rule("facebook", ("EAAC", "EAAB", "EAAG"), _B + r"EAA[BCG][A-Za-z0-9]{80,}+"),
    # Work and watching
    Rule("linear", ("lin_api_", "lin_oauth_"), r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}+"),
    Rule("notion", ("secret_",), _B + r"secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    Rule("notion", ("ntn_",), _B + r"ntn_[A-Za-z0-9]{40,}+"),
    Rule("figma", ("figd_", "figo_"), r"fig[do]_[\w-]{38,}+"),
    Rule("asana", ("1/1", "2/1"), _B + r"[12]/1\d{10,17}(?:/\d{10,17})?:[a-f0-9]{32}"),
    Rule("hubspot", ("pat-na", "pat-eu"), _B + r"pat-(?:na|eu)\d-[a-f0-9-]{36}"),
    Rule("postman", ("PMAK-",), r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    Rule("sentry", ("sntrys_", "sntryu_"), r"sntry[su]_[\w=+/-]{40,}+"),
    Rule("grafana", ("glsa_", "glc_"), _B + r"gl(?:sa|c)_[\w=+/-]{32,}+"),
    Rule("newrelic", ("NRAK-", "NRJS-", "NRII-"), r"NR(?:AK|JS|II)-[A-Za-z0-9_-]{19,}+"),
    Rule("dynatrace", ("dt0c01.", "dt0s01."), r"dt0[cs]01\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    Rule("honeycomb", ("hcaik_", "hcbik_"), r"hc[ab]ik_[a-z0-9]{58,}+"),
    Rule("circleci", ("CCIPAT_", "CCIPRJ_"), r"CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,}_[a-f0-9]{40}"),
    Rule("buildkite", ("bkua_",), r"bkua_[a-f0-9]{40}"),
    Rule("sonar", ("sqp_", "sqa_", "squ_"), _B + r"sq[pau]_[a-f0-9]{40}"),
    Rule("sourcegraph", ("sgp_",), _B + r"sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    Rule("contentful", ("CFPAT-",), r"CFPAT-[\w-]{43,}+"),
    Rule("easypost", ("EZAK", "EZTK"), _B + r"EZ[AT]K[a-zA-Z0-9]{54,}+"),
    Rule("duffel", ("duffel_",), r"duffel_(?:live|test)_[\w=-]{43,}+"),
    Rule("mapbox", ("sk.eyJ",), r"sk\.eyJ[\w-]{40,}+\.[\w-]{20,}+"),
    Rule("age", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    # Header and claims of a JWT are JSON, so both begin as `{"` does in base64.
    Rule("jwt", ("eyJ",), _RUN_START + r"eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]*+"),
    Rule("jwt", ("eyJ",),
         _RUN_START + r"eyJ[\w-]{8,}+\.[\w-]*+\.[\w-]{12,}+\.[\w-]{16,}+\.[\w-]{16,}+"),
)  # fmt: skip

# Tokens without a mark: looked for only in a text that names their maker, in lower case.
HINTED: tuple[tuple[str, Rule], ...] = (
    (
        "discord",
        Rule("discord", (), r"(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}+"),
    ),
    ("twilio", Rule("twilio", (), r"(?<![A-Za-z0-9])SK[a-f0-9]{32}(?![A-Za-z0-9])")),
    ("twilio", Rule("twilio", (), r"(?<![A-Za-z0-9])AC[a-f0-9]{32}(?![A-Za-z0-9])")),
    ("twilio", Rule("twilio", (), r"(?<![A-Za-z0-9])AC[a-f0-9]{32}:([a-f0-9]{32})(?![a-f0-9])")),
    ("mapbox", Rule("mapbox", (), r"(?<![A-Za-z0-9])sk\.[\w-]{60,}+\.[\w-]{20,}+")),
    (
        "airtable",
        Rule("airtable", (), r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[a-f0-9]{64}(?![A-Za-z0-9])"),
    ),
    ("zapier", Rule("zapier", (), r"hooks\.zapier\.com/hooks/catch/(\d{4,12}/[a-z0-9]{5,}+)")),
)
