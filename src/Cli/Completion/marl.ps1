# Completion of marl in PowerShell. Load it with: marl completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName marl -ScriptBlock {
    param($word, $command, $cursor)
    $length = $cursor - $command.Extent.StartOffset
    $line = "$command".PadRight($length).Substring(0, $length)
    marl "[suggest:$length]" $line 2>$null | Where-Object { $_.StartsWith($word) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
