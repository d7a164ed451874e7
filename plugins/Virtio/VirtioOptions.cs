using System.ComponentModel;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicHost.Virtio;

/// <summary>The <c>device</c> object of kind <c>virtio</c>.</summary>
[Description("A virtio network card, served to a VMM over vhost-user.")]
// Optional members have setters: generated JSON code sets every init-only member, and would overwrite a default that the text leaves out.
internal sealed record VirtioOptions
{
    [Description("Path of the vhost-user socket, at most 107 bytes; relative paths are relative to the topology file.")]
    public required string Socket { get; init; }

    [Description("Queue pairs offered to the guest, 1 to 8. The VMM must be given the same number or fewer.")]
    public int Queues { get; set; } = 1;

    [Description("server: listen on the socket and wait for the VMM. client: connect to the VMM's socket, again and again.")]
    public SocketRole Mode { get; set; } = SocketRole.Server;

    [Description("Rights of the socket file in octal (server only). Whoever may connect to it can take this NIC.")]
    public string SocketMode { get; set; } = "0600";

    [Description("Offer notifications as messages instead of eventfds. Slower; for User Mode Linux with time travel only.")]
    public bool InBandNotifications { get; set; }
}

/// <summary>Who listens.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SocketRole>))]
internal enum SocketRole
{
    /// <summary>We do.</summary>
    [JsonStringEnumMemberName("server")]
    Server,

    /// <summary>The VMM does.</summary>
    [JsonStringEnumMemberName("client")]
    Client,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(VirtioOptions))]
internal sealed partial class VirtioJson : JsonSerializerContext;

/// <summary>The check of what types alone do not show.</summary>
internal static class VirtioOptionsCheck
{
    public const int MaxQueues = 8;

    public static OptionsModel<VirtioOptions> Model { get; } = new(VirtioJson.Default.VirtioOptions, Check);

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
        if (bytes == 0 || options.Socket.Contains('\0', StringComparison.Ordinal))
            faults.Add(new OptionFault("$.socket", "This is not a path.", "Write a path such as \"/run/nichost/web-eth0.sock\"."));
        else if (bytes > Linux.UnixSocket.MaxPathLength)
            faults.Add(new OptionFault("$.socket", $"The path has {bytes} bytes.", $"A UNIX socket's path has at most {Linux.UnixSocket.MaxPathLength}: use a shorter folder."));
        if (options.Queues is < 1 or > MaxQueues)
            faults.Add(new OptionFault("$.queues", $"{options.Queues} is out of range.", $"Write 1 to {MaxQueues}."));
        if (ParseMode(options.SocketMode) is null)
            faults.Add(new OptionFault("$.socketMode", $"\"{options.SocketMode}\" is not a file mode.", "Write three or four octal digits, such as \"0660\"."));
    }
}
