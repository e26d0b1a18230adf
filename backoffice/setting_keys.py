"""Every setting that an administrator may change (requirements, chapter 8): a new one is one declaration here."""

from __future__ import annotations

from datetime import time

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from backoffice.errors import Text
from backoffice.settings import SettingKey, Subject, declare
from models.catalogue import Kind

PASSWORD_LINK_HOURS = declare(
    SettingKey(
        "password_link_hours",
        subject=Subject.access,
        label=_l("Password links are good for"),
        help=_l("Counted from the moment at which the mail with the link is sent."),
        kind=Kind.integer,
        default=24,
        least=1,
        most=720,
        unit=_l("hours"),
        per_group=True,
    )
)

CLIENT_LINK_MINUTES = declare(
    SettingKey(
        "client_link_minutes",
        subject=Subject.access,
        label=_l("Links for a forgotten password are good for"),
        help=_l("Clients ask for them in the client area; counted from the moment at which the mail is sent."),
        kind=Kind.integer,
        default=60,
        least=10,
        most=1440,
        unit=_l("minutes"),
        per_group=True,
    )
)

CREDENTIALS_LINK_HOURS = declare(
    SettingKey(
        "credentials_link_hours",
        subject=Subject.access,
        label=_l("Links in the credentials of clients are good for"),
        help=_l("With them clients set their first password; counted from the moment at which the mail is sent."),
        kind=Kind.integer,
        default=72,
        least=1,
        most=720,
        unit=_l("hours"),
        per_group=True,
    )
)

API_KEY_DAYS = declare(
    SettingKey(
        "api_key_days",
        subject=Subject.access,
        label=_l("API keys are good for at most"),
        help=_l("Whoever makes a key may choose fewer days; keys in use stay as they are."),
        kind=Kind.integer,
        default=365,
        least=1,
        most=1825,
        unit=_l("days"),
        per_group=True,
    )
)

API_REQUESTS = declare(
    SettingKey(
        "api_requests",
        subject=Subject.access,
        label=_l("Requests a minute with one API key"),
        help=_l("Beyond, programs are told to wait; the desk is not concerned."),
        kind=Kind.integer,
        default=300,
        least=1,
        most=100_000,
        unit=_lp("API key", "requests"),
        per_group=True,
    )
)

PASSWORD_LENGTH = declare(
    SettingKey(
        "password_length",
        subject=Subject.access,
        label=_l("Shortest password"),
        help=_l("For passwords chosen from now on; those in use stay good."),
        kind=Kind.integer,
        default=12,
        least=8,
        most=64,
        unit=_l("characters"),
    )
)

SECOND_FACTOR = declare(
    SettingKey(
        "second_factor",
        subject=Subject.access,
        label=_l("Second factor for staff"),
        help=_l("Whoever has none yet sets it up at the next sign-in: a code that an app on the phone shows."),
        kind=Kind.boolean,
        default=False,
        per_group=True,
    )
)

SIGN_IN_FAILURES = declare(
    SettingKey(
        "sign_in_failures",
        subject=Subject.access,
        label=_l("Wrong passwords in a row before waiting"),
        help=_l("Whoever fails so often, at one account and from one place, has to wait: a minute, then longer."),
        kind=Kind.integer,
        default=5,
        least=3,
        most=20,
    )
)

SIGN_IN_LONGEST_WAIT = declare(
    SettingKey(
        "sign_in_longest_wait",
        subject=Subject.access,
        label=_l("Longest wait after wrong passwords"),
        help=_l("The wait doubles with each further failure up to this."),
        kind=Kind.minutes,
        default=60,
        least=1,
        most=24 * 60,
    )
)

NIGHT_AT = declare(
    SettingKey(
        "night_at",
        subject=Subject.work,
        label=_l("When the night’s work begins"),
        help=_l("Contracts, packages and licenses that end, and tickets closed for good, are moved on then."),
        kind=Kind.time,
        default=time(0, 10),
        least=time(0, 1),
        most=time(6, 0),
    )
)

DIGEST_AT = declare(
    SettingKey(
        "digest_at",
        subject=Subject.work,
        label=_l("When the mail of the morning leaves"),
        help=_l("It tells people in one mail what they wanted to hear of once a day."),
        kind=Kind.time,
        default=time(7, 30),
        least=time(0, 1),
        most=time(23, 59),
    )
)

IMPORT_ROWS = declare(
    SettingKey(
        "import_rows",
        subject=Subject.imports,
        label=_l("Longest file tried while one waits"),
        help=_l("Longer files are tried and applied in the background, as far as some process is at work."),
        kind=Kind.integer,
        default=2000,
        least=100,
        most=200_000,
        unit=_l("rows"),
    )
)

BULK_ROWS = declare(
    SettingKey(
        "bulk_rows",
        subject=Subject.work,
        label=_l("Most records changed at once while one waits"),
        help=_l("More of them are changed in the background, as far as some process is at work."),
        kind=Kind.integer,
        default=200,
        least=10,
        most=2000,
        unit=_l("records"),
    )
)

BULK_DAYS = declare(
    SettingKey(
        "bulk_days",
        subject=Subject.work,
        label=_l("Reports on many records at once are kept"),
        help=_l("Afterwards they are deleted at night; what was done remains in the history of each record."),
        kind=Kind.integer,
        default=30,
        least=1,
        most=365,
        unit=_l("days"),
    )
)

EXPORT_ROWS = declare(
    SettingKey(
        "export_rows",
        subject=Subject.imports,
        label=_l("Longest workbook made while one waits"),
        help=_l("Longer ones are made in the background, as far as some process is at work. CSV always comes at once."),
        kind=Kind.integer,
        default=10_000,
        least=100,
        most=200_000,
        unit=_l("rows"),
    )
)

EXPORT_DAYS = declare(
    SettingKey(
        "export_days",
        subject=Subject.imports,
        label=_l("Files made in the background are kept"),
        help=_l("Afterwards they are deleted at night; they can be made anew."),
        kind=Kind.integer,
        default=7,
        least=1,
        most=90,
        unit=_l("days"),
    )
)

DELETION_GRACE_DAYS = declare(
    SettingKey(
        "deletion_grace_days",
        subject=Subject.clients,
        label=_l("Days of grace before an account is deleted"),
        help=_l("So long the person may still think better of it. The law wants it done within a month."),
        kind=Kind.integer,
        default=7,
        least=0,
        most=21,
        unit=_l("days"),
        per_group=True,
    )
)

DEADLINE_LEAD_DAYS = declare(
    SettingKey(
        "deadline_lead_days",
        subject=Subject.client_data,
        label=_l("Deadlines are due soon from"),
        help=_l("How long before its day a deadline of a client passes to “Due soon”."),
        kind=Kind.integer,
        default=60,
        least=1,
        most=365,
        unit=_l("days before"),
        per_group=True,
    )
)


def _reminder(number: int, label: Text, default: int) -> SettingKey[int]:
    return declare(
        SettingKey(
            f"deadline_reminder_{number}",
            subject=Subject.client_data,
            label=label,
            help=_l("Clients and secretariat get a mail so long before a deadline; 0: none."),
            kind=Kind.integer,
            default=default,
            least=0,
            most=365,
            unit=_l("days before"),
            per_group=True,
        )
    )


#: How long before a deadline people are reminded of it.
DEADLINE_REMINDERS = (
    _reminder(1, _l("First reminder of a deadline"), 60),
    _reminder(2, _l("Second reminder of a deadline"), 30),
    _reminder(3, _l("Last reminder of a deadline"), 7),
)

PACKAGE_WARNING_PERCENT = declare(
    SettingKey(
        "package_warning_percent",
        subject=Subject.support,
        label=_l("Packages are almost used up from"),
        help=_l("The client’s referent gets a mail when so much of a support package is used."),
        kind=Kind.integer,
        default=80,
        least=1,
        most=99,
        unit="%",
        per_group=True,
    )
)

PACKAGE_ENDING_DAYS = declare(
    SettingKey(
        "package_ending_days",
        subject=Subject.support,
        label=_l("Packages are about to end from"),
        help=_l("The client’s referent gets a mail so long before the last day of a package with time left; 0: none."),
        kind=Kind.integer,
        default=30,
        least=0,
        most=365,
        unit=_l("days before"),
        per_group=True,
    )
)

CALL_NEEDS_URGENCY = declare(
    SettingKey(
        "call_needs_urgency",
        subject=Subject.support,
        label=_l("Whoever takes a call says how urgent it is"),
        help=_l("Of every call. Otherwise only for the types of request that need it."),
        kind=Kind.boolean,
        default=True,
        per_group=True,
    )
)

CALLBACK_RETRY = declare(
    SettingKey(
        "callback_retry",
        subject=Subject.support,
        label=_l("Calls back that reached nobody are tried again after"),
        help=_l("Counted in the opening hours of the queue."),
        kind=Kind.minutes,
        default=60,
        least=5,
        most=5 * 24 * 60,
        per_group=True,
    )
)

COMPLAINT_ANSWER_DAYS = declare(
    SettingKey(
        "complaint_answer_days",
        subject=Subject.support,
        label=_l("Complaints are answered within"),
        help=_l("Counted from the day they are received; 0: no term."),
        kind=Kind.integer,
        default=0,
        least=0,
        most=365,
        unit=_l("days"),
        per_group=True,
    )
)

ALERT_MINUTES = declare(
    SettingKey(
        "alert_minutes",
        subject=Subject.support,
        label=_l("Alerts of emergencies are repeated after"),
        help=_l("As long as whoever is on call does not acknowledge one."),
        kind=Kind.integer,
        default=5,
        least=1,
        most=60,
        unit=_l("minutes"),
        per_group=True,
    )
)

ALERT_TIMES = declare(
    SettingKey(
        "alert_times",
        subject=Subject.support,
        label=_l("Alerts before the next person is asked"),
        help=_l("Then the next one on call is alerted, and after the last the first one again."),
        kind=Kind.integer,
        default=3,
        least=1,
        most=10,
        per_group=True,
    )
)

ALERT_WEBHOOK = declare(
    SettingKey(
        "alert_webhook",
        subject=Subject.support,
        label=_l("Gateway for alerts"),
        help=_l("An address that takes alerts as JSON, of an SMS gateway for example. Empty: mail only."),
        kind=Kind.url,
        default="",
        per_group=True,
    )
)

BULK_TICKETS = declare(
    SettingKey(
        "bulk_tickets",
        subject=Subject.support,
        label=_l("Tickets worked on in one step"),
        help=_l("So many may be ticked in the queue and answered, closed or assigned at once."),
        kind=Kind.integer,
        default=40,
        least=2,
        most=60,
        unit=_l("tickets"),
        per_group=True,
    )
)

INTERVENTION_DAYS = declare(
    SettingKey(
        "intervention_days",
        subject=Subject.support,
        label=_l("Interventions are carried out within"),
        help=_l("By the end of service, where no service level says it otherwise; 0: no day is set."),
        kind=Kind.integer,
        default=1,
        least=0,
        most=30,
        unit=_l("working days"),
        per_group=True,
    )
)

OPERATOR_FIGURES = declare(
    SettingKey(
        "operator_figures",
        subject=Subject.support,
        label=_l("Figures of single operators (art. 4 L. 300/1970)"),
        help=_l(
            "From them the work of single people can be read: the law asks for an agreement with the unions, or an "
            "authorisation. Tick it only with one; each look is written to the log of exports."
        ),
        kind=Kind.boolean,
        default=False,
        per_group=True,
    )
)

REGISTER_DAYS = declare(
    SettingKey(
        "register_days",
        subject=Subject.client_data,
        label=_l("Waste registers are kept within"),
        help=_l("Counted from the pick-up; until then the client needs the weight at the destination."),
        kind=Kind.integer,
        default=10,
        least=1,
        most=90,
        unit=_l("days"),
        per_group=True,
    )
)

ALERTS = declare(
    SettingKey(
        "alerts",
        subject=Subject.work,
        label=_l("Mail to administrators when work fails"),
        help=_l("Once for each failure, not each time that a task fails again."),
        kind=Kind.boolean,
        default=True,
    )
)

NOTICE_AFTER = declare(
    SettingKey(
        "notice_after",
        subject=Subject.work,
        label=_l("Mail to who asked when work took longer than"),
        help=_l("Imports and the like; what is shorter than this people see end."),
        kind=Kind.minutes,
        default=5,
        least=0,
        most=7 * 24 * 60,
    )
)

CONSENT_HOLD_DAYS = declare(
    SettingKey(
        "consent_hold_days",
        subject=Subject.clients,
        label=_l("Days on hold before tickets without consent are closed"),
        help=_l("Counted from the day on which consent was withdrawn; given again in time, the tickets go on."),
        kind=Kind.integer,
        default=30,
        least=1,
        most=365,
        unit=_l("days"),
        per_group=True,
    )
)

ACTIVATION_ADDRESS = declare(
    SettingKey(
        "activation_address",
        subject=Subject.clients,
        label=_l("Where requests without account manager are announced"),
        help=_l("Requests for online services of companies that nobody looks after. Empty: nobody is told."),
        kind=Kind.email,
        default="",
        per_group=True,
    )
)

SEPARATE_DUTIES = declare(
    SettingKey(
        "separate_duties",
        subject=Subject.clients,
        label=_l("Whoever enters a request does not decide it"),
        help=_l("Where they may, each such decision is marked as one of their own."),
        kind=Kind.boolean,
        default=True,
        per_group=True,
    )
)

REFERENT_ADDRESS = declare(
    SettingKey(
        "referent_address",
        subject=Subject.clients,
        label=_l("Where addresses of referents are announced"),
        help=_l("When a referent has registered on the platform. Empty: nobody is told."),
        kind=Kind.email,
        default="",
        per_group=True,
    )
)
