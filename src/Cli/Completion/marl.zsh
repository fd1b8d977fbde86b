#compdef marl
# Completion of marl in zsh. Load it with: source <(marl completion zsh)
_marl() {
    local line="marl ${(j: :)${(Q)words[2,CURRENT-1]}}"
    line="${line% } ${(Q)PREFIX}"
    local -a candidates
    candidates=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
    candidates=(${candidates:#})
    [[ -z $PREFIX ]] && candidates=(${candidates:#-*}) # options only where a dash is typed
    if (( ${#candidates} == 0 )); then
        _files
        return
    fi
    compadd -S '' -- ${(M)candidates:#*[=:/]}
    compadd -- ${candidates:#*[=:/]}
}
compdef _marl marl
