# Sourced by the stages that are scripts: counts checks and closes with "N passed, N failed, N skipped".

checks_passed=0
checks_failed=0
checks_skipped=0

# check NAME COMMAND...: the command must succeed; its output is shown when it does not.
check()
{
    local name=$1 output
    shift
    if output=$("$@" 2>&1 </dev/null); then
        checks_passed=$((checks_passed + 1))
        echo "ok      $name"
    else
        checks_failed=$((checks_failed + 1))
        echo "FAILED  $name"
        printf '%s\n' "$output" | tail -n 60 | sed 's/^/    /'
    fi
}

# refuse NAME TEXT COMMAND...: the command must fail, and say TEXT (a basic regular expression).
refuse()
{
    local name=$1 text=$2 output
    shift 2
    if output=$("$@" 2>&1 </dev/null); then
        checks_failed=$((checks_failed + 1))
        echo "FAILED  $name: it succeeded"
        printf '%s\n' "$output" | tail -n 20 | sed 's/^/    /'
    elif ! printf '%s\n' "$output" | grep -q -- "$text"; then
        checks_failed=$((checks_failed + 1))
        echo "FAILED  $name: it failed, but did not say '$text'"
        printf '%s\n' "$output" | tail -n 60 | sed 's/^/    /'
    else
        checks_passed=$((checks_passed + 1))
        echo "ok      $name"
    fi
}

# skip NAME REASON
skip()
{
    checks_skipped=$((checks_skipped + 1))
    echo "SKIP $1: $2"
}

# finish: the closing line and the exit status.
finish()
{
    echo "$checks_passed passed, $checks_failed failed, $checks_skipped skipped"
    [ $checks_failed -eq 0 ]
    exit
}
