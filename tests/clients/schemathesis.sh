#!/bin/sh
# Schemathesis sends what the service's own description allows, and what it does not, and compares the answers with it.
#
#     schemathesis.sh URL CERTIFICATES        prints one JSON document for each component, and failures on standard error
#
# CERTIFICATES holds ca.pem, and COMPONENT.pem and COMPONENT.key for api and operator. EXAMPLES (25) bounds the cases of an
# operation and SEED (1) chooses them; BIN (target/clients/bin) has schemathesis and openapi-spec-validator.
set -eu
url=${1%/} certificates=$(realpath "$2")
bin=$(realpath "${BIN:-target/clients/bin}")
# It leaves its memory of examples where it runs.
work=$(mktemp --directory)
trap 'rm --recursive --force "$work"' EXIT
cd "$work"
export PYTHONDONTWRITEBYTECODE=1 REQUESTS_CA_BUNDLE="$certificates/ca.pem"

# Schemathesis makes the best of a wrong description, and skips what it cannot resolve: that is for a validator.
description=${DESCRIPTION:-}
if [ -z "$description" ]; then
    description=$work/openapi.json
    "$bin/python" -c 'import sys, urllib.request, ssl
context = ssl.create_default_context(cafile=sys.argv[2])
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], context=context, timeout=20).read())' \
        "$url/openapi.json" "$certificates/ca.pem" > "$description"
fi
failed=0
"$bin/openapi-spec-validator" --schema 3.1 --validation-errors all "$description" > valid.log 2>&1 || { cut --characters=1-300 valid.log >&2; failed=1; }

# As an operator, only what `api` may not: its answers to the rest are 403 and say little.
for component in api operator; do
    if [ $component = operator ]; then only="--include-path-regex ^/v1/status/"; else only=""; fi
    # The description says of `params` that it is any object, and the service takes strings, numbers and lists in it.
    # shellcheck disable=SC2086
    timeout "${SECONDS_AT_MOST:-240}" "$bin/schemathesis" --no-color run "$description" --url "$url" $only \
        --tls-verify "$certificates/ca.pem" \
        --request-cert "$certificates/$component.pem" --request-cert-key "$certificates/$component.key" \
        --phases examples,coverage,fuzzing,stateful --mode all --checks all \
        --max-examples "${EXAMPLES:-25}" --seed "${SEED:-1}" --generation-database none --continue-on-failure --request-timeout 20 \
        --report json --report-json-path "$work/$component.json" > "$component.log" 2>&1 || failed=1
    "$bin/python" - "$component" "$work/$component.json" "$work/$component.log" <<'PYTHON' || failed=1
import json, pathlib, re, sys
component, report, log = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).read_text()
number = lambda pattern: int(found[1]) if (found := re.search(pattern, log)) else None
seen = {
    "component": component,
    "operations": number(r"Tested:\s+(\d+)"),
    "cases": number(r"([\d]+) generated"),
    "failures": number(r"found (\d+) unique failure") or 0,
    "seed": number(r"Seed: (\d+)"),
}
print(json.dumps(seen))
# It ended, it tried something, and it found nothing.
if not report.exists() or not seen["cases"] or seen["failures"] or re.search(r"^=+ ERRORS =+$", log, re.MULTILINE):
    print(log, file=sys.stderr)
    sys.exit(1)
PYTHON
done
exit $failed
