"""The stable codes of problems in specs and config, with their meaning. Knows nothing else.

A code is a letter and a number: `S006` is the duplicate key in a spec, `C006` the same in the config.
"""

from __future__ import annotations

UNREADABLE = "001"
NOT_REGULAR = "002"
TOO_LARGE = "003"
NOT_TEXT = "004"
SYNTAX = "005"
DUPLICATE_KEY = "006"
TOO_DEEP = "007"
ALIAS = "008"
MERGE_KEY = "009"
TAG = "010"
NUMBER = "011"
KEY = "012"
UNKNOWN_KEY = "020"
TYPE = "021"
QUOTE = "022"
REQUIRED = "023"
CHOICE = "024"
NAME = "025"
TWICE = "026"
RANGE = "027"
DURATION = "028"
INSTANT = "029"
MISPLACED = "030"
ALARM_ID = "031"
FOR_EACH = "040"
REFERENCE = "041"
UNDEFINED = "042"
ENVIRONMENT = "043"
CREDENTIAL = "044"
SECRET_PLACE = "045"
TARGET = "050"
ALARM = "051"
IDENTITY = "052"
MOVED = "053"
FORGET = "054"
LIMIT = "060"
RESERVED = "061"
VERSION = "070"
LITERAL_CREDENTIAL = "071"
ENDPOINT = "072"
GUARD = "073"
RATE = "074"
BACKEND = "075"
DEFAULT_TARGET = "076"
STACK = "077"
EXPRESSION = "078"

_SHARED = {
    UNREADABLE: "a file or folder is missing or cannot be read",
    NOT_REGULAR: "a path is no regular file, leaves the specs folder, or runs in a circle",
    TOO_LARGE: "a file is over 16 MiB",
    NOT_TEXT: "a file is not UTF-8, or holds a control character",
    SYNTAX: "a file is not YAML",
    DUPLICATE_KEY: "a key stands twice in one mapping",
    TOO_DEEP: "values are nested deeper than 64 levels",
    ALIAS: "an alias names no anchor, contains itself, or unfolds to too much",
    MERGE_KEY: "a merge key `<<`; there is `defaults`",
    TAG: "a tag outside the YAML core schema, or one that does not fit its value",
    NUMBER: "a number that JSON or 64 bits cannot hold",
    KEY: "a key that is not text",
    UNKNOWN_KEY: "a key that does not exist",
    TYPE: "a value of the wrong shape",
    QUOTE: "a number or boolean where text is wanted",
    REQUIRED: "a required key is missing or empty",
    CHOICE: "a value that is none of the allowed words",
    NAME: "a malformed name",
    RANGE: "a value outside its bounds",
    DURATION: "a malformed duration",
    MISPLACED: "a key that does not belong to this kind or target",
    REFERENCE: "a malformed `${…}`, or one that cannot stand there",
    UNDEFINED: "a variable that is not defined",
    ENVIRONMENT: "an environment variable that is not set or is no text",
    CREDENTIAL: "`${env.X}` names a credential",
    SECRET_PLACE: "`${secret.env.X}` where a secret must not stand",
}
_SPECS = {
    TWICE: "a name is declared twice",
    INSTANT: "a malformed instant",
    ALARM_ID: "a malformed `alarm_id`",
    FOR_EACH: "a malformed `for_each`",
    TARGET: "a target that does not exist, or of the wrong type",
    ALARM: "a handling names an alarm that is not declared",
    IDENTITY: "two alarms are one and the same on their target",
    MOVED: "a wrong entry of `moved`",
    FORGET: "a wrong entry of `forget`",
    LIMIT: "beyond what the target's API document allows",
    RESERVED: "metadata or annotations name a key that the tool writes itself",
}
_CONFIG = {
    VERSION: "a `version` this tool does not read",
    LITERAL_CREDENTIAL: "a credential stands in the config as text",
    ENDPOINT: "a malformed or unsafe `endpoint`",
    GUARD: "a malformed guard",
    RATE: "a malformed rate",
    BACKEND: "a state backend that does not exist",
    DEFAULT_TARGET: "`default_target` is no target",
    STACK: "a malformed `stack`",
    EXPRESSION: "an expression of a check that cannot be evaluated",
}

CODES: dict[str, str] = {
    **{"S" + number: meaning for number, meaning in sorted({**_SHARED, **_SPECS}.items())},
    **{"C" + number: meaning for number, meaning in sorted({**_SHARED, **_CONFIG}.items())},
}
