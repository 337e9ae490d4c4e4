"""All settings, all from the environment (`.env.example` names every variable).

A secret may also be given as a file: NAME_FILE=/path/to/secret (django-environ's
FileAwareEnv). Nothing here has a default that would be unsafe in production: without
DEMO_MODE a missing secret or a simulated provider stops the start with a sentence.
"""

from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
env.read_env(BASE_DIR / ".env")

# --- What kind of installation this is ------------------------------------------------

DEMO_MODE = env.bool("DEMO_MODE", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
# Former keys, so that changing the key ends no session and loses no second factor.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="support@example.test")

# --- The provider -----------------------------------------------------------------------

TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
# The other token of the account while one is being changed for the other: webhooks signed
# with either are taken, so that no call is lost in between.
TWILIO_AUTH_TOKEN_SECONDARY = env.str("TWILIO_AUTH_TOKEN_SECONDARY", default="")
TWILIO_API_KEY_SID = env.str("TWILIO_API_KEY_SID", default="")
TWILIO_API_KEY_SECRET = env.str("TWILIO_API_KEY_SECRET", default="")
TWILIO_API_BASE = env.str("TWILIO_API_BASE", default="")
TWILIO_TIMEOUT_SECONDS = env.float("TWILIO_TIMEOUT_SECONDS", default=10.0)
# Address and bundle SIDs registered at the provider, for countries that ask for them:
# TWILIO_ADDRESS_SIDS=DE=AD…,FR=AD…   TWILIO_BUNDLE_SIDS=DE:local=BU…
TWILIO_ADDRESS_SIDS = env.dict("TWILIO_ADDRESS_SIDS", default={})
TWILIO_BUNDLE_SIDS = env.dict("TWILIO_BUNDLE_SIDS", default={})

if TWILIO_API_BASE and not DEMO_MODE:
    raise ImproperlyConfigured(
        "TWILIO_API_BASE points at a simulated provider, and DEMO_MODE is off: numbers bought "
        "there do not exist. Unset TWILIO_API_BASE to use Twilio, or set DEMO_MODE=true."
    )

# --- Money ------------------------------------------------------------------------------

# What a workspace pays per month = what the provider asks x this, rounded up to the cent.
# The admin can set another markup, or a fixed price, per country and type.
NUMBER_PRICE_MARKUP = env.str("NUMBER_PRICE_MARKUP", default="1.20")
# An unknown outcome is given up only after this long: longer than the timeout of our call
# plus the longest time in which the provider may still carry it out (docs/reliability.md).
PURCHASE_QUIET_SECONDS = env.float("PURCHASE_QUIET_SECONDS", default=60.0)
# How much a workspace may buy in a day, in the wallet's currency and in numbers. A brake on
# mistakes and stolen logins; a workspace may set its own.
PURCHASE_SPEND_PER_DAY = Decimal(env.str("PURCHASE_SPEND_PER_DAY", default="500"))
PURCHASE_NUMBERS_PER_DAY = env.int("PURCHASE_NUMBERS_PER_DAY", default=100)

# --- What other apps know of a number ----------------------------------------------------

# Functions (workspace, numbers) -> list[numbers.usages.Usage]: who answers a number and what
# uses it. Apps above `numbers` add theirs; it asks all of them at once for a whole page.
NUMBER_USAGES: list[str] = ["interactions.number_facts.usages"]
# Functions (number) -> list[str]: sentences on the recent calls and messages of a number.
NUMBER_TRAFFIC: list[str] = ["interactions.number_facts.traffic"]
# Functions (number, since) -> list[numbers.number_costs.Cost]: what a number cost.
NUMBER_COSTS: list[str] = [
    "numbers.number_costs.purchases",
    "numbers.number_costs.rents",
    "interactions.number_facts.costs",
]
# Functions (membership, number) -> list[numbers.reports.Finding]: lines of "why isn't it
# working?" that only the app knows which has the calls and messages.
NUMBER_CHECKS: list[str] = [
    "numbers.service_why.checks", "interactions.number_checks.checks",
]  # fmt: skip
# Functions (workspace, numbers, needs) -> dict[number id, numbers.choice.Barrier]: why a number
# cannot be chosen for a campaign or an assistant, beyond what the number itself tells.
NUMBER_BARRIERS: list[str] = [
    "numbers.documents.barriers",
    "interactions.registrations.barriers",
]
# For so long after its release a number can be taken back; then the carrier gets it.
NUMBER_UNDO_HOURS = env.int("NUMBER_UNDO_HOURS", default=24)

# --- Rent -------------------------------------------------------------------------------

# What happens to a number whose monthly fee is not paid, in days after the due day: nothing
# is sent or called from it; nothing is received; it is given back to the carrier. A mail
# goes out on the due day and so many days before each step (docs/rent.md).
RENT_OUTBOUND_STOPS_AFTER_DAYS = env.int("RENT_OUTBOUND_STOPS_AFTER_DAYS", default=3)
RENT_INBOUND_STOPS_AFTER_DAYS = env.int("RENT_INBOUND_STOPS_AFTER_DAYS", default=7)
RENT_RELEASED_AFTER_DAYS = env.int("RENT_RELEASED_AFTER_DAYS", default=21)
RENT_REMIND_DAYS_BEFORE = env.int("RENT_REMIND_DAYS_BEFORE", default=2)
# Whether the unused days of a paid month are given back when a number is released. The
# provider does not give them back to us.
RENT_REFUNDS_UNUSED_DAYS = env.bool("RENT_REFUNDS_UNUSED_DAYS", default=False)
# Whether numbers that are owned follow the price list: a change is announced by mail and in
# force from the number's next month that begins at least so many days later. Off: a number
# keeps its price until support announces another.
RENT_FOLLOWS_PRICE_LIST = env.bool("RENT_FOLLOWS_PRICE_LIST", default=True)
RENT_PRICE_NOTICE_DAYS = env.int("RENT_PRICE_NOTICE_DAYS", default=0)
# Called with the wallet's id after money has come in, once it is committed (dotted paths,
# like MIDDLEWARE): the wallet does not know who waits for it.
AFTER_FUNDS_ADDED = ["numbers.tasks.funds_added"]

# --- Calls and messages -----------------------------------------------------------------

# What a workspace pays per minute, segment and picture = what the provider asks x this.
USAGE_PRICE_MARKUP = env.str("USAGE_PRICE_MARKUP", default="1.20")
# Calls are not forwarded to where a minute costs a workspace more than this: such numbers
# are mostly there to be called by fraud.
FORWARD_MAX_PRICE_PER_MINUTE = env.str("FORWARD_MAX_PRICE_PER_MINUTE", default="0.50")
# Who may answer a call or message before its route does, tried in this order: dotted paths
# of classes, like MIDDLEWARE. Assistants and appointments plug in here (interactions.answering).
INBOUND_ANSWERERS: list[str] = []

# --- Payments ---------------------------------------------------------------------------

STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")
STRIPE_TIMEOUT_SECONDS = env.float("STRIPE_TIMEOUT_SECONDS", default=10.0)
# Where Stripe shows its payment page: the one address, beside our own, that the form which
# adds funds may lead to. Another one for those who pay Stripe for a domain of their own.
STRIPE_CHECKOUT_ORIGIN = STRIPE_API_BASE or env.str(
    "STRIPE_CHECKOUT_ORIGIN", default="https://checkout.stripe.com"
)
# In the wallet's currency. The day is the last 24 hours; what is under way counts too.
TOP_UP_LEAST = Decimal(env.str("TOP_UP_LEAST", default="5"))
TOP_UP_MOST = Decimal(env.str("TOP_UP_MOST", default="1000"))
TOP_UP_MOST_A_DAY = Decimal(env.str("TOP_UP_MOST_A_DAY", default="2000"))
# What the wallet's page asks of the apps above it: what will be charged, and the page that
# shows what an entry's reference names. Dotted paths, since the wallet imports none of them.
RENT_AHEAD = {
    "days": "numbers.upcoming.rent_days",
    "dates": "numbers.upcoming.rent_dates",
    "charges": "numbers.upcoming.rent_charges",
    "due": "numbers.upcoming.rent_due",
}
# One-to-one relations of a workspace, of apps above it, that the frame of each page shows.
READ_WITH_WORKSPACE = ["rentarrears"]
STATEMENT_CAUSES = [
    "wallet.statement.top_up_addresses",
    "numbers.upcoming.statement_addresses",
    "interactions.statement.statement_addresses",
]

# One payment of rent is for many numbers: what finds those of one number by its digits.
STATEMENT_FINDERS = ["numbers.upcoming.rent_entries"]

if STRIPE_API_BASE and not DEMO_MODE:
    raise ImproperlyConfigured(
        "STRIPE_API_BASE points at simulated payments, and DEMO_MODE is off: money paid there "
        "does not exist. Unset STRIPE_API_BASE to use Stripe, or set DEMO_MODE=true."
    )

# --- The people who run the platform ----------------------------------------------------

# Prometheus reads /metrics with "Authorization: Bearer <token>"; empty turns it off.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
OPERATOR_EMAILS = env.list("OPERATOR_EMAILS", default=[])
# They are told when the provider's balance lasts fewer days than this at the present use, or,
# while too little is known about its use, when it is below the amount.
PROVIDER_BALANCE_DAYS = env.int("PROVIDER_BALANCE_DAYS", default=10)
PROVIDER_BALANCE_LEAST = env.int("PROVIDER_BALANCE_LEAST", default=50)

# --- Django -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "telephony",
    "workspaces",
    "wallet",
    "compliance",
    "numbers",
    "interactions",
    "numbers_project.apps.SupportAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "numbers_project.middleware.reference",
    "numbers_project.middleware.bad_signatures",
    "numbers_project.middleware.webhooks_first",
    "numbers_project.middleware.probes_by_any_name",
    "django.middleware.security.SecurityMiddleware",
    "numbers_project.middleware.headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # A page of results is 20 times smaller so. Secrets beside what a visitor can choose would
    # be at risk (BREACH): Django masks the CSRF token anew in each answer and pads the rest.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "workspaces.sessions.sessions_end",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workspaces.second_factor.EveryoneNeedsOne",
    "numbers_project.middleware.private_pages",
    "numbers_project.middleware.wrong_method_in_words",
    "numbers_project.middleware.origin",
    "numbers_project.middleware.Limits",
]

ROOT_URLCONF = "numbers_project.urls"
WSGI_APPLICATION = "numbers_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "numbers_project.context.page",
            ],
            "builtins": ["numbers_project.templatetags.desk"],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"].update(CONN_MAX_AGE=300, CONN_HEALTH_CHECKS=True, ATOMIC_REQUESTS=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.str("CACHE_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
    }
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Voicemails and pictures. Never served from here by address: views check who asks.
MEDIA_ROOT = VAR_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # a page must not hang on a mail server that does not answer
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="numbers@example.test")

# --- People -----------------------------------------------------------------------------

AUTH_USER_MODEL = "workspaces.User"
# auth.W004 asks for a unique column; the constraint user_email_unique is on LOWER(email).
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "workspaces.passwords.GuessedFirst"},
]
# Who may make workspaces of their own: everyone with a login, or support staff alone.
WORKSPACES_CREATED_BY = env.str("WORKSPACES_CREATED_BY", default="everyone")
# What a new workspace needs, and what keeps one from being archived: functions of the apps
# above `workspaces`, which may not be imported there (workspaces/lifecycle.py).
WORKSPACE_OPENERS = ["wallet.opening.open_wallet"]
ARCHIVE_BLOCKERS = ["numbers.archiving.orders_under_way", "numbers.archiving.numbers_left"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "workspaces.login.InvitedOnly"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True  # one address, changed only once the new one has answered
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Before members, payment and release the password is asked again, unless it was given a
# short while ago (workspaces/access.py, recently_authenticated).
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
MFA_ADAPTER = "workspaces.second_factor.SealedSecrets"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# In the demo everyone knows the password of support, and a second factor of one visitor
# would lock out the next.
SUPPORT_NEEDS_SECOND_FACTOR = env.bool("SUPPORT_NEEDS_SECOND_FACTOR", default=not DEMO_MODE)
# Everyone else too: whoever has none sets one up before they can do anything.
EVERYONE_NEEDS_SECOND_FACTOR = env.bool("EVERYONE_NEEDS_SECOND_FACTOR", default=False)
# A session ends when it was not used for so long, and at last so long after signing in
# (workspaces/sessions.py). Support staff, who see every workspace, sign in each working day.
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_DAYS", default=14) * 86_400
USERSESSIONS_ADAPTER = "workspaces.sessions.AskedBeforeEnding"
SESSION_LIFETIME_DAYS = env.int("SESSION_LIFETIME_DAYS", default=30)
SUPPORT_SESSION_HOURS = env.int("SUPPORT_SESSION_HOURS", default=12)
# Nobody signs up alone, so nobody can claim an address that is not theirs and lock it.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# --- Security ---------------------------------------------------------------------------

# A demo is served over plain HTTP on this machine; everything else is HTTPS only.
SECURE = not (DEMO_MODE or DEBUG)
# A proxy ends TLS and adds the caller's address to X-Forwarded-For.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=SECURE)
# The address that attempts to sign in are counted by is the last that the proxy added.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_SSL_REDIRECT = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
# Probes come from inside, over HTTP; the provider's webhooks must never be redirected,
# since a redirect loses the fields of a POST.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$", r"^webhooks/"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "numbers_project.errors.csrf_failed"
# Messages wait in the session: a cookie of their own could be read and written outside it.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# How often (lib/rate_limit.py, docs/security.md). Another limit for a name:
# RATE_LIMITS=search=120/m,mail=50/h
RATE_LIMITS = {
    "search": "30/m",  # by person: each asks the provider, whose own limit all share
    "check": "30/m",  # by person: each asks the provider, as a search does
    "purchase": "30/m",  # by workspace: nobody clicks faster, a stolen session would
    "mail": "20/h",  # by workspace: invitations go to addresses that somebody typed
    "workspace": "10/d",  # by person: workspaces are made rarely, and never by the hundred
    "export": "10/h",  # by workspace: each reads the whole table
    "bad_signature": "60/m",  # by address: what is not from the provider gets no answer
} | env.dict("RATE_LIMITS", default={})

# --- Work in the background -------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
# With Redis and Valkey a task of a killed worker comes back after the visibility timeout.
# The defaults (an hour, looked at every 10 s or so) made that 96 s; this makes it 15 s.
if CELERY_BROKER_URL.startswith(("redis", "valkey", "sentinel")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 60,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    }

# --- Logs -------------------------------------------------------------------------------

# "json" is one object a line, for machines; "line" is for people.
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if SECURE else "line")
# Values that no line may hold (lib/logs.py); a test finds secrets that are missing here.
NEVER_LOGGED = [
    SECRET_KEY,
    *SECRET_KEY_FALLBACKS,
    TWILIO_AUTH_TOKEN,
    TWILIO_AUTH_TOKEN_SECONDARY,
    TWILIO_API_KEY_SECRET,
    STRIPE_API_KEY,
    STRIPE_WEBHOOK_SECRET,
    METRICS_TOKEN,
    EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or "",
    str(DATABASES["default"].get("PASSWORD") or ""),
    urlsplit(CACHE_URL).password or "",
    urlsplit(CELERY_BROKER_URL).password or "",
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "lib.logs.Line",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "secrets": NEVER_LOGGED,
        },
        "json": {"()": "lib.logs.Json", "secrets": NEVER_LOGGED},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Django would log with a formatter of its own beside ours.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
