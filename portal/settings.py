"""Every setting, typed from the environment; secrets have no default outside the demo and the tests.

Lifetimes and limits carry their unit in the name and a line saying why this value.
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal.env import ROOT, env, languages_in, secret, secret_from_file, state_dir

BASE_DIR = ROOT
STATE_DIR = state_dir()
DEMO = env.bool("SCANPASS_DEMO", default=False)
DEBUG = False

# --- Addresses -----------------------------------------------------------------------------------------------------

PORT = env.int("SCANPASS_PORT", default=8000)
# Links in messages are made from this and never from a request's Host header.
PUBLIC_BASE_URL = env.str("SCANPASS_PUBLIC_BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
_IS_HTTPS = PUBLIC_BASE_URL.startswith("https://")
_PUBLIC_HOST = PUBLIC_BASE_URL.split("://", 1)[1].split("/")[0].rsplit(":", 1)[0]
ALLOWED_HOSTS = env.list("SCANPASS_ALLOWED_HOSTS", default=[_PUBLIC_HOST, "127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
# How many proxies stand in front: only then is X-Forwarded-For believed, and only its last entries.
TRUSTED_PROXIES = env.int("SCANPASS_TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES < 0:
    raise ImproperlyConfigured("SCANPASS_TRUSTED_PROXIES is a count of proxies: 0, 1, 2...")
if _IS_HTTPS and TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Secrets and keys ----------------------------------------------------------------------------------------------

# Without one Django refuses to sign or read anything. `serve` and `demo` make it, once, before this is read.
SECRET_KEY = env.str("SCANPASS_SECRET_KEY", default="") or secret_from_file(STATE_DIR / "secret_key") or ""
KEYRING_PATH = Path(env.str("SCANPASS_KEYRING", default=str(STATE_DIR / "keys" / "keyring.json")))
# Where the key-encryption keys are: file (the keyring above), vault-transit (HashiCorp Vault), aws-kms.
KEY_PROVIDER = env.str("SCANPASS_KEY_PROVIDER", default="file")
# "own" says of a HashiCorp Vault that it is the practice's, in its building and kept by its people; AWS KMS never is.
KEY_VENDOR = env.str("SCANPASS_KEY_VENDOR", default="")
VAULT_TRANSIT_URL = env.str("SCANPASS_VAULT_TRANSIT_URL", default="")
VAULT_TRANSIT_KEY = env.str("SCANPASS_VAULT_TRANSIT_KEY", default="scanpass")
VAULT_TRANSIT_TOKEN_PATH = Path(
    env.str("SCANPASS_VAULT_TRANSIT_TOKEN_FILE", default=str(STATE_DIR / "keys" / "vault_token"))
)
KMS_REGION = env.str("SCANPASS_KMS_REGION", default="")
# 1=arn:aws:kms:...,2=arn:... ; the highest wraps, all unwrap
KMS_KEYS = env.dict("SCANPASS_KMS_KEYS", default={})
KMS_CREDENTIALS_PATH = Path(
    env.str("SCANPASS_KMS_CREDENTIALS_FILE", default=str(STATE_DIR / "keys" / "kms_credentials.json"))
)
KMS_URL = env.str("SCANPASS_KMS_URL", default="")  # a VPC endpoint; empty: the region's own
KEY_PROVIDER_CA = env.str("SCANPASS_KEY_PROVIDER_CA", default="")  # a file; empty: the system's authorities
SHRED_FINAL_AFTER_DAYS = 35  # so long backups keep the slot of a key that was destroyed
ESCROW_VERIFY_DAYS = 90  # an escrow sheet nobody has opened for a quarter is a hope
ACCEPT_COLOCATED_KEYS = env.bool("SCANPASS_ACCEPT_COLOCATED_KEYS", default=DEMO)
# An unwrapped practice or study key is forgotten after this, so a retired key stops working everywhere.
KEY_CACHE_S = 300

# --- The audit trail's checkpoints ---------------------------------------------------------------------------------

# Signs where the chains stand; the sweep makes it. Better another user's, whose timer runs `manage.py checkpoint`.
CHECKPOINT_KEY_PATH = Path(
    env.str("SCANPASS_CHECKPOINT_KEY", default=str(STATE_DIR / "audit" / "checkpoint.key"))
)
# Folders and https addresses, two at least, where this machine can't take back what it gave.
CHECKPOINT_PLACES = env.list("SCANPASS_CHECKPOINT_PLACES", default=[str(STATE_DIR / "checkpoints")])
# The secret shared with the receivers of https addresses.
CHECKPOINT_SECRET_PATH = Path(
    env.str("SCANPASS_CHECKPOINT_SECRET_FILE", default=str(STATE_DIR / "audit" / "checkpoint.secret"))
)
# A collector of DICOM audit messages, as syslog+tls://collector.example:6514; empty: none.
AUDIT_COLLECTOR = env.str("SCANPASS_AUDIT_COLLECTOR", default="")
AUDIT_COLLECTOR_CA = env.str(
    "SCANPASS_AUDIT_COLLECTOR_CA", default=""
)  # a file; empty: the system's authorities
CHECKPOINT_EVERY_S = 10 * 60  # the window in which the newest entries could vanish unseen
CHECKPOINT_EVERY_ENTRIES = 1000

# --- Stores --------------------------------------------------------------------------------------------------------

VAULT_DIR = Path(env.str("SCANPASS_VAULT", default=str(STATE_DIR / "vault")))
SPOOL_DIR = Path(env.str("SCANPASS_SPOOL", default=str(STATE_DIR / "spool")))
# An upload is refused below this much free disk, so that the database can always write.
RESERVED_DISK_BYTES = env.int("SCANPASS_RESERVED_DISK_BYTES", default=512 * 1024 * 1024)

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'db.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: a read that later writes would otherwise end in "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: an acknowledged act survives a power cut. MEMORY: sorting never spills to a plain temp file.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
        # Without this INSERT OR REPLACE deletes a row of the trail past its triggers.
        "PRAGMA recursive_triggers=ON;",
    }
    # A file, because races need several connections, and an in-memory database has only one.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

# --- Applications --------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portal",
    "portal.sealed",
    "portal.audit",
    "portal.jobs",
    "portal.accounts",
    "portal.practice",
    "portal.records",
    "portal.backups",
    "sharing",
    "viewer",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp_webauthn",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    # First, because Django answers an error inside the middleware that raised it: what stands further out still runs.
    "portal.middleware.HeadersMiddleware",
    "portal.content_policy.ContentPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.problems.ErrorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.StaffDoorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "portal.problems.csrf_failed"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "portal.middleware.page_context",
            ],
        },
    }
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Accounts and sessions -----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign_in"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    # SP 800-63B-4 asks for 15 where a password stands alone; ours never does, but length is what helps.
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
OTP_TOTP_ISSUER = "Scanpass"
# Passkeys belong to the public address; `portal.accounts.passkeys` runs them, behind our own door.
OTP_WEBAUTHN_RP_NAME = "Scanpass"
OTP_WEBAUTHN_RP_ID = _PUBLIC_HOST
OTP_WEBAUTHN_ALLOWED_ORIGINS = [PUBLIC_BASE_URL]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
OTP_WEBAUTHN_HELPER_CLASS = "portal.accounts.passkeys.Ceremony"
# It refuses every plain address, the demo's on this machine too; `scanpass.E002` refuses them where patients are.
SILENCED_SYSTEM_CHECKS = ["otp_webauthn.E031"]

STAFF_IDLE_S = 15 * 60  # 45 CFR 164.312(a)(2)(iii), automatic logoff
STAFF_ABSOLUTE_S = 12 * 3600  # one working day
SHARE_IDLE_S = 15 * 60
SHARE_ABSOLUTE_S = 60 * 60

SESSION_ENGINE = "portal.accounts.sessions"
SESSION_COOKIE_AGE = STAFF_ABSOLUTE_S
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
# The __Host- prefix needs Secure, which plain HTTP on a test machine can't have.
_PREFIX = "__Host-" if _IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_PREFIX}staff"
CSRF_COOKIE_NAME = f"{_PREFIX}csrf" if _IS_HTTPS else "csrftoken"
CSRF_COOKIE_SAMESITE = "Strict"
SHARE_COOKIE_NAME = f"{_PREFIX}share"
BROWSER_COOKIE_NAME = f"{_PREFIX}browser"
KNOWN_BROWSER_DAYS = 90  # a browser not used for so long counts as a stranger's

# --- Headers -------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "worker-src": [SELF],
        "connect-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": under it browsers send `Origin: null` with our own forms, and Django rightly refuses those.
# Nothing leaves to other sites either way, and a link's token is in the fragment, which no Referer carries.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _IS_HTTPS and env.bool("SCANPASS_SSL_REDIRECT", default=True)
# A load balancer asks over plain HTTP, and a redirect would tell it that all is well.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 63_072_000 if _IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False

# --- Sharing -------------------------------------------------------------------------------------------------------

SHARE_DEFAULT_DAYS = 30  # short links make the support load (anchors, finding 5); the gate is what protects
SHARE_MAX_DAYS = 90
BIRTHDATE_MISSES_MAX = 5  # blind odds 1.4e-4; then the desk unlocks
CODE_LIFETIME_S = 10 * 60  # SP 800-63B-4 3.1.3.2: at most 10 minutes
CODE_TRIES_MAX = 5
CODE_FAILURES_MAX = 15  # in the life of the share: odds 1.5e-5
CODE_RESEND_AFTER_S = 60
CODE_SENDS_MAX_15MIN = 3
CODE_SENDS_MAX_DAY = 6
PHONE_SENDS_MAX_DAY = 10  # over all practices
PHONE_CALLS_MAX_DAY = 3  # of these spoken: a telephone that rings in vain is more than a nuisance
PRACTICE_SENDS_MAX_DAY = 500
ADDRESS_SENDS_MAX_HOUR = 20  # of one network address, /64 for IPv6
ADDRESS_LINKS_MAX_DAY = 20  # to one number or e-mail address, by one practice
PRACTICE_LINKS_MAX_DAY = 1000
STEP_UP_S = 5 * 60  # a download needs a code not older than this
UNDO_S = env.int("SCANPASS_UNDO_S", default=10)  # the desk takes a share back before its message leaves
NUMBER_CHECK_DAYS = (
    365  # a number read back at the desk longer ago may have a new owner, so it is checked again
)
BATCH_MAX_SHARES = 60  # in one go; the gateway takes their messages one by one
PHONE_REGION = env.str("SCANPASS_PHONE_REGION", default="US")
EMAIL_TIMEOUT = 10  # Django's default waits for ever, and the task worker with it
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("SCANPASS_FROM_EMAIL", default=f"scans@{_PUBLIC_HOST}")

# --- Messages (docs/messages.md) -------------------------------------------------------------------------------------

# Which way text messages leave: outbox (demo), console, webhook, twilio, aws. There is one, and no fallback.
GATEWAY = env.str("SCANPASS_GATEWAY", default="outbox" if DEMO else "console")
GATEWAY_TIMEOUT_S = 10
# Between two texts with links; codes, which somebody waits for, don't queue. A US number may send one a second.
GATEWAY_INTERVAL_S = env.float("SCANPASS_GATEWAY_INTERVAL_S", default=1.0)
# In these hours of the practice no phone rings, except for codes and where the desk says "send now".
QUIET_FROM_HOUR = env.int("SCANPASS_QUIET_FROM_HOUR", default=21)
QUIET_UNTIL_HOUR = env.int("SCANPASS_QUIET_UNTIL_HOUR", default=8)
MESSAGE_HELD_MAX_S = 3 * 24 * 3600  # a link that comes later than this surprises more than it helps
WEBHOOK_URL = env.str("SCANPASS_WEBHOOK_URL", default="")
WEBHOOK_SECRET = secret("SCANPASS_WEBHOOK_SECRET")
WEBHOOK_CALLS = env.bool("SCANPASS_WEBHOOK_CALLS", default=False)  # the gateway can call and say a code
WEBHOOK_SKEW_S = 5 * 60  # a signature older than this is a replay
TWILIO_URL = env.str("SCANPASS_TWILIO_URL", default="https://api.twilio.com").rstrip("/")
TWILIO_ACCOUNT = env.str("SCANPASS_TWILIO_ACCOUNT", default="")
TWILIO_TOKEN = secret("SCANPASS_TWILIO_TOKEN")
TWILIO_SENDER = env.str("SCANPASS_TWILIO_SENDER", default="")  # a number, or a messaging service (MG…)
TWILIO_CALLER = env.str("SCANPASS_TWILIO_CALLER", default="")  # a number that can call; empty: no calls
AWS_SMS_REGION = env.str("SCANPASS_AWS_SMS_REGION", default="")
AWS_SMS_SENDER = env.str("SCANPASS_AWS_SMS_SENDER", default="")  # a number, pool or sender id of the account
AWS_SMS_CONFIGURATION = env.str(
    "SCANPASS_AWS_SMS_CONFIGURATION", default=""
)  # the set whose events reach the topic
AWS_SMS_TOPIC = env.str("SCANPASS_AWS_SMS_TOPIC", default="")  # the SNS topic (ARN) that brings them
AWS_SMS_URL = env.str("SCANPASS_AWS_SMS_URL", default="")  # a VPC endpoint; empty: the region's own

# --- Viewing -------------------------------------------------------------------------------------------------------

BATCH_MAX_BYTES = 4 * 1024 * 1024  # a longer answer makes the p99 of the others grow
BATCH_MAX_ITEMS = 512
HEARTBEAT_S = 5

# --- Upload --------------------------------------------------------------------------------------------------------

UPLOAD_PART_BYTES = 1024 * 1024  # each part is sealed as it arrives; memory per upload stays this small
UPLOAD_FILE_MAX_BYTES = 8 * 1024**3
UPLOAD_ABANDONED_S = 24 * 3600
# Django must never spool a body to a plain temp file: uploads are read by our own view, forms are small.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Work ----------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
BROKER_DIR = STATE_DIR / "broker"
JOB_LEASE_S = 60  # a worker that dies is replaced after at most this
# Given by the supervisor to each process it starts: what that one was doing when it died is free at once.
WORKER_MARK = env.str("SCANPASS_WORKER", default="")

# --- Backups -------------------------------------------------------------------------------------------------------

# A folder on another disk or machine, or a bucket (s3://…); without one nothing is backed up, and Compliance says so.
BACKUP_TARGET = env.str("SCANPASS_BACKUP_TARGET", default="") or env.str("SCANPASS_BACKUP_DIR", default="")
BACKUP_KEYRING_PATH = Path(
    env.str("SCANPASS_BACKUP_KEYRING", default=str(KEYRING_PATH.with_name("backup-keyring.json")))
)
# The adapter name of the business associate whose store it is: none for a folder, unless named; "s3" for a bucket,
# the one on a command line too, unless another is named or it is said to be the practice's "own".
_KEEPER = env.str("SCANPASS_BACKUP_VENDOR", default="")
BACKUP_BUCKET_VENDOR = "" if _KEEPER == "own" else _KEEPER or "s3"
BACKUP_VENDOR = BACKUP_BUCKET_VENDOR if BACKUP_TARGET.startswith("s3://") or _KEEPER else ""
BACKUP_EVERY_S = env.int(
    "SCANPASS_BACKUP_EVERY_S", default=24 * 3600
)  # the most that a lost disk can cost (RPO)
BACKUP_KEEP_DAYS = env.int("SCANPASS_BACKUP_KEEP_DAYS", default=90)
DRILL_EVERY_DAYS = 30
SCRUB_EVERY_DAYS = 7  # every object re-verified at least this often

# --- Language and time ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
# English and every language with a compiled catalogue: another one is a translation file away.
LANGUAGES = languages_in(*LOCALE_PATHS)
LANGUAGE_COOKIE_NAME = "language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files --------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "portal.lean_static.LeanStaticFilesStorage"},
}
# For the tests, which collect nothing: serve what lies in static/ as it is.
WHITENOISE_USE_FINDERS = env.bool("SCANPASS_STATIC_FROM_SOURCE", default=False)
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS  # or every start would list them all
# Names carry no hash, so a new version must arrive soon.
WHITENOISE_MAX_AGE = 0 if DEMO or WHITENOISE_USE_FINDERS else 3600

# --- Logs ----------------------------------------------------------------------------------------------------------

# Lines for people in the demo, else JSON for whatever collects them: the same fields, and no others.
LOG_FORMAT = env.str("SCANPASS_LOG_FORMAT", default="line" if DEMO else "json")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("SCANPASS_LOG_FORMAT is line or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redaction": {"()": "portal.redaction.Redaction"}},
    "formatters": {
        "line": {"()": "portal.redaction.LineFormatter"},
        "json": {"()": "portal.redaction.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["redaction"], "formatter": LOG_FORMAT}
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own would mail whole requests and values to ADMINS.
        "django": {"handlers": [], "level": "INFO"},
        # granian prints the trace of a broken stream with the exception's text; through here it is cut.
        "_granian": {"handlers": ["stderr"], "propagate": False, "level": "ERROR"},
        # Each warns of requests by path; ours are counted elsewhere, and paths hold ids of shares.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "pydicom": {"handlers": [], "propagate": False, "level": "CRITICAL"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "ERROR"},
        # It tells where it found credentials, at each start of a client.
        "botocore": {"level": "WARNING"},
    },
}
