#!/usr/bin/env bash
# pydantic 2.14.4: a result with a NaN is saved as JSON that the same class refuses. (2026-11-29)
#
# A good guess: model_dump_json writes NaN and Infinity as json.dumps does, or refuses them. What it writes,
#               model_validate_json of the same class reads.
# Instead:      model_dump_json writes null for NaN and for Infinity, without a warning. model_validate_json raises an
#               error, because null is not a number. If one run diverged, nobody can read the whole file of results
#               after the training. The file does not show which null was NaN and which was Infinity.
#               model_validate_json accepts NaN and Infinity if somebody else writes them.
# What to do:   model_config = ConfigDict(ser_json_inf_nan="constants"), before the first run.
. "$(dirname "$0")/packages.inc" pydantic==2.14.4
observe <<'PYTHON'
import pydantic


class Run(pydantic.BaseModel):
    task: str
    losses: list[float]


class SafeRun(Run):
    model_config = pydantic.ConfigDict(ser_json_inf_nan="constants")


def round_trip(kind):
    text = kind(task="go", losses=[0.5, float("inf"), float("nan")]).model_dump_json()
    try:
        return text, str(kind.model_validate_json(text).losses)
    except pydantic.ValidationError as error:
        return text, f"{error.error_count()} errors, {error.errors()[0]['msg']}"


print("pydantic", pydantic.VERSION)
usual, safe = round_trip(Run), round_trip(SafeRun)
print("written:", usual[0], " read:", usual[1])
print("with constants:", safe[0], " read:", safe[1])
assert usual[0] == '{"task":"go","losses":[0.5,null,null]}' and usual[1].startswith("2 errors")
assert safe[1] == "[0.5, inf, nan]"
PYTHON
