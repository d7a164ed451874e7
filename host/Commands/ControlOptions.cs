using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary>The options of <c>nichost run</c> about its control socket. They come before what the topology says of it.</summary>
internal sealed class ControlOptions
{
    private readonly Option<string> _path = SharedOptions.Control();

    private readonly Option<string?> _mode = new("--control-mode") { Description = "Rights of the control socket in octal. Who may write to it commands this host. Default: 0600.", HelpName = "MODE" };

    private readonly Option<string?> _owner = new("--control-owner") { Description = "The user that owns the control socket. Default: the one that the host runs as.", HelpName = "USER" };

    private readonly Option<string?> _group = new("--control-group") { Description = "The group of the control socket. Default: the host's.", HelpName = "GROUP" };

    private readonly Option<bool> _none = new("--no-control") { Description = "Run without a control socket: no command reaches this host." };

    public ControlOptions() => _mode.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && OctalMode.Parse(text) is null) result.AddError($"--control-mode: \"{text}\" is not a file mode. Write three or four octal digits, such as 0660.");
    });

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _path, _mode, _owner, _group, _none }) command.Add(option);
    }

    /// <returns>From what a topology says to the socket; null for none.</returns>
    public Func<ControlSettings, ControlSocket?> Read(ParseResult result) => topology => result.GetValue(_none) ? null
        : new ControlSocket(result.GetValue(_path) ?? topology.Socket ?? ControlPath.ForHost)
        {
            Mode = result.GetValue(_mode) is { } mode ? OctalMode.Parse(mode)!.Value : topology.Mode,
            Owner = result.GetValue(_owner) ?? topology.Owner,
            Group = result.GetValue(_group) ?? topology.Group,
        };
}
