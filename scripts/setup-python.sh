#!/usr/bin/env bash
# Makes .venv, in which the Python package is built, tested and used from the build tree: what the
# extras of pyproject.toml ask for, from PyPI; PyTorch is Debian's, if it is installed.
#
#   scripts/setup-python.sh [EXTRA...]     extras of pyproject.toml; "test" if none is named
#
# Does nothing, quickly, when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

extras=("${@:-test}")
say() { printf 'setup: %s\n' "$*" >&2; }

# Debian's interpreter, where there is one: Debian's PyTorch is for no other.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)

stamp=.venv/installed
wanted=$(cat pyproject.toml "$0" | sha256sum | cut -d' ' -f1)-${extras[*]}-$("$python" --version)
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

say "Python packages into .venv"
[ -x .venv/bin/python ] || "$python" -m venv --system-site-packages .venv
# Our own extras, unfolded: installing "lmrnn[test]" would build lmrnn first.
requirements=$(.venv/bin/python - "${extras[@]}" <<'PYTHON'
import re, sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
def unfold(requirements):
    for requirement in requirements:
        own = re.fullmatch(r"lmrnn\[(.+)\]", requirement)
        if own:
            for extra in own[1].split(","):
                yield from unfold(project["optional-dependencies"][extra.strip()])
        else:
            yield requirement
print("\n".join([*project["dependencies"], *unfold([f"lmrnn[{','.join(sys.argv[1:])}]"])]))
PYTHON
)
# Debian 12's PyTorch was built for NumPy 1 and cannot talk to NumPy 2. pip reads pip.conf at every
# later call too, so that "pip install jupyter pandas" in .venv leaves both working together.
echo 'numpy<2' >.venv/constraints.txt
printf '[install]\nconstraint = %s\n' "$PWD/.venv/constraints.txt" >.venv/pip.conf
mapfile -t list <<<"$requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check "${list[@]}" numpy >&2
# The connectomes that tutorials read: data and readers alone. No test needs what they depend on
# (plotly, pyneuroml and more).
case " ${extras[*]} " in *" test "*)
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    'cect==0.3.5' 'wormneuroatlas==0.0.7.3' >&2 ;;
esac
echo "$wanted" >"$stamp"
