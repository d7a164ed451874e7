using NicHost.Contracts.Options;
using NicHost.Linux;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio;

/// <summary>The check of what types alone do not show, and what the words in the options mean.</summary>
internal static class VirtioOptionsCheck
{
    public const int MaxQueues = 8;

    public static OptionsModel<VirtioOptions> Model { get; } = new(VirtioJson.Default.VirtioOptions, Check);

    /// <summary>Rights of the socket file; only when the options passed the check. Looks up accounts: not on a loop.</summary>
    public static SocketRights Rights(VirtioOptions options) => new(
        ParseMode(options.SocketMode)!.Value,
        options.Owner is { } owner ? Accounts.ParseUser(owner) : null,
        options.Group is { } group ? Accounts.ParseGroup(group) : null);

    /// <summary>The rights as a number, or null when the text is no octal number of file rights.</summary>
    public static uint? ParseMode(string text)
    {
        if (text.Length is < 3 or > 4 || !text.All(c => c is >= '0' and <= '7')) return null;
        var mode = Convert.ToUInt32(text, 8);
        return mode <= 0x1ff ? mode : null;
    }

    private static void Check(VirtioOptions options, ICollection<OptionFault> faults)
    {
        var bytes = System.Text.Encoding.UTF8.GetByteCount(options.Socket);
        if (bytes > UnixSocket.MaxPathLength)
            faults.Add(new OptionFault("$.socket", $"The path has {bytes} bytes.", $"A UNIX socket's path has at most {UnixSocket.MaxPathLength}: use a shorter folder."));
        if (ParseMode(options.SocketMode) is null)
            faults.Add(new OptionFault("$.socketMode", $"\"{options.SocketMode}\" is not a file mode.", "Write three or four octal digits, such as \"0660\"."));
        if (options.Owner is { } owner && Accounts.ParseUser(owner) is null)
            faults.Add(new OptionFault("$.owner", $"This host has no user \"{owner}\".", "Write the name of one (getent passwd lists them), or a number."));
        if (options.Group is { } group && Accounts.ParseGroup(group) is null)
            faults.Add(new OptionFault("$.group", $"This host has no group \"{group}\".", "Write the name of one (getent group lists them), or a number."));
    }
}
