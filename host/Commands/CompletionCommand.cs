using System.CommandLine;
using NicHost.Host.Completion;

namespace NicHost.Host.Commands;

/// <summary><c>nichost completion SHELL</c>: a script that has the shell complete commands, options, files and a running host's names.</summary>
internal static class CompletionCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost completion bash > ~/.local/share/bash-completion/completions/nichost", "for bash, from its next start"),
            ("nichost completion zsh > ~/.zfunc/_nichost", "for zsh, with ~/.zfunc in fpath before compinit"),
            ("nichost completion fish > ~/.config/fish/completions/nichost.fish", "for fish"),
        ],
    };

    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = $"Whose: {string.Join(", ", ShellScript.Shells)}." };
        shell.AcceptOnlyFromAmong([.. ShellScript.Shells]);
        var command = new HostCommand("completion", "Prints a script that makes a shell complete nichost's commands, options, files, and VMs and NICs of the running host.", Help) { shell };
        command.SetAction(result => Console.Out.Write(ShellScript.Of(result.GetValue(shell)!)));
        return command;
    }
}
