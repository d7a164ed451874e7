namespace NicHost.Host.Tests.Completion;

/// <summary>Real shells with the script of <c>nichost completion</c>, asked as their user's key asks them.</summary>
public sealed class CompletionTests(ShellHost host) : IClassFixture<ShellHost>
{
    // A line, and what it can go on with; the parts are separated by blanks.
    private static readonly (string Line, string Candidates)[] Cases =
    [
        ("nichost st", "status"),
        ("nichost re", "resolve restart"),
        ("nichost completion ", "bash fish zsh"),
        ("nichost inspect --js", "--json"),
        ("nichost dio pre", "prepare"),
        ("nichost inspect w", "web web/eth0 web/eth1"),
        ("nichost status --json db/", "db/eth0"),
        ("nichost restart d", "db db/eth0"),
        ("nichost probe w", "web/eth0 web/eth1"),
        ("nichost inspect --control /nowhere.sock w", ""),
        ("nichost check t", "topology.json"),
        ("nichost run topology.json --log-format j", "journal json"),
        ("nichost inspect xyz", ""),
    ];

    [ProgramFact("bash")]
    public async Task Bash_completes_commands_options_files_and_names_of_the_running_host()
    {
        foreach (var (line, candidates) in Cases) Assert.Equal($"{line}: {candidates}", $"{line}: {Join(await BashAsync(line))}");
        Assert.Equal([@"vms\ of\ mine/"], await BashAsync("nichost check v"));
        // As it is called in a checkout: the same program answers.
        Assert.Equal(["status"], await BashAsync("../bin/nichost st"));
    }

    [ProgramFact("fish")]
    public async Task Fish_completes_commands_options_files_and_names_of_the_running_host()
    {
        foreach (var (line, candidates) in Cases)
        {
            var lines = await host.RunAsync("fish", "--no-config", "-c", $"nichost completion fish | source; complete -C '{line}'");
            Assert.Equal($"{line}: {candidates}", $"{line}: {Join(lines)}");
        }
    }

    [ProgramFact("zsh")]
    public async Task Zsh_completes_commands_options_files_and_names_of_the_running_host()
    {
        // What has one candidate, it fills in; of several, what they have in common.
        (string Line, string Completed)[] cases =
        [
            ("nichost st", "nichost status "), ("nichost inspect --js", "nichost inspect --json "), ("nichost probe d", "nichost probe db/eth0 "),
            ("nichost probe w", "nichost probe web/eth"), ("nichost check t", "nichost check topology.json "), ("nichost check v", @"nichost check vms\ of\ mine/"),
            ("nichost inspect xyz", "nichost inspect xyz"),
        ];
        foreach (var (line, completed) in cases) Assert.Equal([$"<{completed}>"], await host.RunAsync("zsh", "-f", "-c", Zsh, "zsh", line));
    }

    // A second zsh on a terminal: it is typed to, and shows its line on Ctrl-T.
    private const string Zsh = """
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1= RPS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source <(nichost completion zsh); show() { print -r -- \"<\$BUFFER>\"; exit }; zle -N show; bindkey '^T' show; print READ''Y"
        zpty -r shell text '*READY*'
        zpty -w -n shell "$1"$'\t\C-T'
        text=
        while zpty -r shell more; do text+=$more; [[ $text == *'<'*'>'* ]] && break; done
        print -r -- "<${${text#*<}%%>*}>"
        """;

    private Task<string[]> BashAsync(string line) => host.RunAsync("bash", "--norc", "-c", """
        source <("nichost" completion bash)
        COMP_LINE=$1 COMP_POINT=${#1}
        read -r -a COMP_WORDS <<< "$1"
        [[ $1 == *' ' ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        # The function that bash itself would call.
        registered=$(complete -p nichost)
        [[ $registered =~ -F\ ([^ ]+) ]] && "${BASH_REMATCH[1]}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
        """, "bash", line);

    private static string Join(IEnumerable<string> lines) => string.Join(' ', lines.Select(line => line.Split('\t')[0]).Order(StringComparer.Ordinal));
}
