#compdef nichost
# Completion of nichost for zsh:  source <(nichost completion zsh), or as _nichost in a folder of fpath
_nichost() {
    local program=${words[1]/#\~\//$HOME/} line="nichost ${(j: :)${(@)words[2,CURRENT-1]}} $PREFIX"
    local -a candidates folders
    candidates=("${(@f)$("$program" "[suggest:${#line}]" "$line" 2> /dev/null)}")
    candidates=(${candidates:#})
    # Options are offered to who has begun one.
    [[ -z $PREFIX ]] && candidates=(${candidates:#-*})
    # A folder is not the end of the word.
    folders=(${(M)candidates:#*/})
    candidates=(${candidates:#*/})
    (( $#candidates )) && compadd -a candidates
    (( $#folders )) && compadd -S '' -a folders
}
if [[ $funcstack[1] == _nichost ]]; then _nichost "$@"; else compdef _nichost nichost; fi
