"""Which passwords are good enough, how they are kept, and how one is checked without giving anything away."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from werkzeug.security import check_password_hash, generate_password_hash

from backoffice.errors import DomainError, Text
from backoffice.setting_keys import PASSWORD_LENGTH
from models.reading import UNSTORABLE

#: Longer input only costs time.
MAX_LENGTH = 200
#: So many letters are no three common words any more.
_LONG = 36
_METHOD = "scrypt:32768:8:1"
#: Checked instead of the hash that an unknown or passive user has not, so that the answer takes as long.
_NOBODY = (
    "scrypt:32768:8:1$QmFja29mZmljZVNhbHQ$"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
)


class WeakPassword(DomainError):
    """A password that others would guess; ``str()`` says what is wrong with it."""

    def __init__(self, text: Text, **values: object) -> None:
        super().__init__(field="password", **values)
        self.text = text

    def __str__(self) -> str:
        return str(self.text) % self.values if self.values else str(self.text)


#: What people choose first, Italian and English: months, seasons, names, teams, cities, keys that lie in a row.
#: Written without accents and digits; combinations, repetitions, digits and look-alikes are found by rule.
_WORDS = """
password passord passwort passw parola parolachiave chiave segreta segreto accesso accedi entra login admin
amministratore administrator root utente user username ospite guest test prova demo default cambiami changeme
temporanea temp benvenuto benvenuta welcome ciao hello salve buongiorno grazie letmein master superman batman
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre january february march
april may june july august september october november december primavera estate autunno inverno spring summer autumn
winter lunedi martedi mercoledi giovedi venerdi sabato domenica monday tuesday wednesday thursday friday saturday
sunday oggi domani sempre mai juventus juve inter milan roma lazio napoli fiorentina torino toro atalanta bologna
genoa sampdoria palermo forza milano firenze venezia trento bolzano verona genova bari catania padova brescia parma
italia italiano italiana andrea alessandro alessandra francesco francesca giuseppe giovanni giovanna antonio
antonella marco matteo maria mario laura luca giulia giulio chiara sara federico federica lorenzo davide simone
stefano stefania roberto roberta paolo paola martina elena silvia valentina alice anna sofia aurora leonardo tommaso
gabriele riccardo michele daniele daniela claudio claudia giorgio giorgia marta elisa ilaria monica barbara cristina
cristiano amore amoremio tesoro vita mamma papa famiglia bambino bambina cucciolo stella stellina principessa angelo
angela gatto cane casa mare sole luna cuore fiore dragon dragone monkey shadow sunshine football calcio pallone
baseball pizza pasta cioccolato nutella ferrari ducati vespa valentino rossi computer internet google facebook
windows lavoro ufficio azienda ditta societa servizio servizi cliente clienti assistenza backoffice back office desk
iloveyou love sesso sex dio cristo madonna bello bella qwerty qwertz azerty qwertyuiop asdfgh asdfghjkl zxcvbn la il
lo mia mio una di zxcvbnm abc abcd abcdef abcdefgh abcabc aaa secret access azzurro nero bianco rosso verde giallo
"""
COMMON_WORDS = frozenset(_WORDS.split())
_LOOK_ALIKES = str.maketrans("01345789@$!€£|", "oieastbgasieei")
_ROWS = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)


def check_strength(password: str, *, own_words: Iterable[str] = (), least: int = PASSWORD_LENGTH.default) -> None:
    """Raise ``WeakPassword`` unless ``password`` is long, varied and nothing that others would try first.

    ``own_words``: user name, e-mail, names of the person and of the group; whoever attacks knows them.
    ``least``: its characters; length counts for more than odd ones (NIST SP 800-63B, 5.1.1.2).
    """
    if len(password) < least:
        raise WeakPassword(_l("Use at least %(limit)s characters; a short sentence is easy to remember."), limit=least)
    if len(password) > MAX_LENGTH:
        raise WeakPassword(_l("Use at most %(limit)s characters."), limit=MAX_LENGTH)
    if any(unicodedata.category(character)[0] == "C" for character in password):
        raise WeakPassword(_l("Use characters that can be typed."))
    plain = _plain(password)
    if len(set(plain)) < 5:
        raise WeakPassword(_l("Too few different characters."))
    if _is_repeated(plain):
        raise WeakPassword(_l("The same characters come again and again."))
    if _is_row(plain):
        raise WeakPassword(_l("These characters lie in a row on the keyboard or in the alphabet."))
    own = {part for word in own_words for part in re.split(r"[^a-z0-9]+", _plain(word)) if len(part) >= 4}
    if any(word in plain for word in own):
        raise WeakPassword(_l("It contains your name, your address or the name of the company."))
    if _is_common(plain):
        raise WeakPassword(_l("It is made of words that others try first."))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _is_repeated(plain: str) -> bool:
    """Say whether the whole is a shorter piece, of at most a third, said several times."""
    return any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, len(plain) // 3 + 1))


def _is_row(plain: str) -> bool:
    """Say whether runs of four or more neighbours, forwards or backwards, leave less than four other characters."""
    rest = plain
    for row in _ROWS:
        for line in (row, row[::-1]):
            for size in range(len(line), 3, -1):
                for start in range(len(line) - size + 1):
                    rest = rest.replace(line[start : start + size], "")
    return len(rest) < 4


def _is_common(plain: str) -> bool:
    """Say whether at most three words of the list, with digits and signs about them, are all there is."""
    bare = re.sub(r"[^a-z]", "", plain)
    spelled = re.sub(r"[^a-z]", "", re.sub(r"[\W\d_]+$|^[\W\d_]+", "", plain).translate(_LOOK_ALIKES))
    return any(_segments(letters, 3) for letters in {bare, spelled} if len(letters) < _LONG)


def _segments(letters: str, words: int) -> bool:
    """Say whether ``letters`` is nothing, or split into at most ``words`` different words of the list."""
    if len(letters) < 3 or letters in COMMON_WORDS:
        return True
    if words == 1:
        return False
    heads = (letters[:size] for size in range(2, len(letters)) if letters[:size] in COMMON_WORDS)
    # A word said twice counts once.
    return any(_segments(letters.replace(head, ""), words - 1) for head in heads)


def hash_password(password: str) -> str:
    """Return what is stored instead of the password."""
    return generate_password_hash(_normal(password), method=_METHOD)


def is_right(stored: str | None, password: str) -> bool:
    """Say whether ``password`` is the stored one; takes as long when there is none."""
    if len(password) > MAX_LENGTH or UNSTORABLE.search(password):
        password = ""
    matches = check_password_hash(stored or _NOBODY, _normal(password))
    return matches and bool(stored) and bool(password)


def _normal(password: str) -> str:
    # The same letter typed on two systems may arrive composed or not.
    return unicodedata.normalize("NFKC", password)


def random_password() -> str:
    """Return a password nobody has to think of: 96 bits."""
    return secrets.token_urlsafe(12)


def new_token() -> str:
    """Return what nobody guesses, for a link or a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return what is stored of a token in a link or cookie: whoever reads it cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


__all__ = ["MAX_LENGTH", "WeakPassword", "check_strength", "hash_password", "is_right", "random_password"]
