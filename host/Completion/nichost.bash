# Completion of nichost for bash:  source <(nichost completion bash)
_nichost() {
    local program=${COMP_WORDS[0]/#\~\//$HOME/} line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]} candidate
    line="nichost${line#"${COMP_WORDS[0]}"}"
    COMPREPLY=()
    while IFS= read -r candidate; do
        # Options are offered to who has begun one.
        [[ $candidate == "$word"* && (-n $word || $candidate != -*) ]] && COMPREPLY+=("$(printf %q "$candidate")")
    done < <("$program" "[suggest:${#line}]" "$line" 2> /dev/null)
    # A folder is not the end of the word.
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -F _nichost nichost
