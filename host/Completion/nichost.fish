# Completion of nichost for fish:  nichost completion fish | source
function __nichost_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l line (string join ' ' -- nichost $words "$word")
    set -l candidates ($program "[suggest:"(string length -- "$line")"]" "$line" 2> /dev/null)
    # Options are offered to who has begun one.
    test -n "$word"; or set candidates (string match --invert -- '-*' $candidates)
    printf '%s\n' $candidates
end
complete -c nichost -f -a '(__nichost_complete)'
