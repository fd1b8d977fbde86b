# Completion of marl in bash. Load it with: source <(marl completion bash)
_marl() {
    local line=${COMP_LINE:0:COMP_POINT} candidate
    line="marl ${line#*[[:space:]]}"
    local word=${line##*[[:space:]]}
    # Bash ends words at colons and equals signs: a candidate is given without what stands before the last of them.
    local breaks=${COMP_WORDBREAKS//[^:=]} before=
    [[ -n $breaks ]] && before=${word%"${word##*[$breaks]}"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        # Options only where a dash is typed.
        if [[ $candidate == "$word"* && ( -n $word || $candidate != -* ) ]]; then
            COMPREPLY+=("$(printf %q "${candidate#"$before"}")")
        fi
    done < <("$1" "[suggest:${#line}]" "$line" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _marl marl
