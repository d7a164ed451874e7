using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicHost.Virtio;

/// <summary>The <c>device</c> object of kind <c>virtio</c>.</summary>
[Description("A virtio network card, served to a VMM over vhost-user.")]
// Optional members have setters: generated JSON code sets every init-only member, and would overwrite a default that the text leaves out.
internal sealed record VirtioOptions
{
    [Description("Path of the vhost-user socket, at most 107 bytes; relative paths are relative to the topology file.")]
    [HostPath]
    public required string Socket { get; init; }

    [Description("Queue pairs offered to the guest. The VMM must be given the same number or fewer.")]
    [Range(1, VirtioOptionsCheck.MaxQueues)]
    public int Queues { get; set; } = 1;

    [Description("server: listen on the socket and wait for the VMM. client: connect to the VMM's socket, again and again.")]
    public SocketRole Mode { get; set; } = SocketRole.Server;

    [Description("Rights of the socket file in octal (server only). Whoever may connect to it can take this NIC.")]
    public string SocketMode { get; set; } = "0600";

    [Description("Whose the socket file is, a user's name or number (server only). Left out: the user that the host runs as. Only root gives files to others.")]
    public string? Owner { get; set; }

    [Description("The socket file's group, by name or number (server only). Left out: the one that the system gives it. Without being root: a group that the host's user is in.")]
    public string? Group { get; set; }

    [Description("Show a link that is down to a VMM that cannot be told of it (QEMU) by hanging up, and taking it back when the link is up. A VMM that does not reconnect would lose its NIC for good: turn it off for such a one. Left out: true for server, false for client.")]
    public bool? LinkByReconnect { get; set; }

    [Description("Offer notifications as messages instead of eventfds. Slower; for User Mode Linux with time travel only.")]
    public bool InBandNotifications { get; set; }

    /// <summary>What <see cref="LinkByReconnect"/> comes to.</summary>
    [JsonIgnore]
    public bool HangsUp => LinkByReconnect ?? Mode == SocketRole.Server;
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
