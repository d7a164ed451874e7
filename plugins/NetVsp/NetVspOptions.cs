using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Vmbus;

namespace NicHost.NetVsp;

/// <summary>The <c>device</c> object of kind <c>netvsp</c>.</summary>
[Description("Hyper-V's synthetic network card on a VMBus that is served over a UNIX socket. NICs of one VM with the same socket are on the same bus.")]
// Optional members have setters: generated JSON code sets every init-only member, and would overwrite a default that the text leaves out.
internal sealed record NetVspOptions
{
    [Description("Path of the VM's VMBus socket, at most 107 bytes; relative paths are relative to the topology file.")]
    [HostPath]
    public required string Socket { get; init; }

    [Description("Channels offered to the guest, 1 to 16: the primary one and subchannels.")]
    [Range(1, NetVspOptionsCheck.MaxQueues)]
    public int Queues { get; set; } = 1;

    [Description("Rights of the socket file in octal. Whoever may connect to it can take the VM's NICs.")]
    public string SocketMode { get; set; } = "0600";

    [Description("Take guest memory from files that can shrink. A guest or VMM that shrinks one loses its NIC, no more.")]
    public bool AllowUnsealedMemory { get; set; }

    [Description("The newest VMBus version spoken: 2.4, 3.0, 4.0, 4.1, 5.0, 5.1, 5.2 or 5.3.")]
    public string VmbusVersion { get; set; } = "5.3";

    [Description("The newest NVSP version spoken: 1, 2, 4, 5, 6 or 6.1. Large receive needs 6.1, several queues need 5.")]
    public string NvspVersion { get; set; } = "6.1";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(NetVspOptions))]
internal sealed partial class NetVspJson : JsonSerializerContext;

/// <summary>The check of what types alone do not show.</summary>
internal static class NetVspOptionsCheck
{
    public const int MaxQueues = 16;

    public static OptionsModel<NetVspOptions> Model { get; } = new(NetVspJson.Default.NetVspOptions, Check);

    /// <summary>The rights as a number, or null when the text is no octal number of file rights.</summary>
    public static uint? ParseMode(string text)
    {
        if (text.Length is < 3 or > 4 || !text.All(c => c is >= '0' and <= '7')) return null;
        var mode = Convert.ToUInt32(text, 8);
        return mode <= 0x1ff ? mode : null;
    }

    private static void Check(NetVspOptions options, ICollection<OptionFault> faults)
    {
        var bytes = System.Text.Encoding.UTF8.GetByteCount(options.Socket);
        if (bytes > Linux.UnixSocket.MaxPathLength)
            faults.Add(new OptionFault("$.socket", $"The path has {bytes} bytes.", $"A UNIX socket's path has at most {Linux.UnixSocket.MaxPathLength}: use a shorter folder."));
        if (ParseMode(options.SocketMode) is null)
            faults.Add(new OptionFault("$.socketMode", $"\"{options.SocketMode}\" is not a file mode.", "Write three or four octal digits, such as \"0660\"."));
        if (VmbusVersions.Parse(options.VmbusVersion) is null)
            faults.Add(new OptionFault("$.vmbusVersion", $"\"{options.VmbusVersion}\" is no version of VMBus that is spoken.", $"Write one of {string.Join(", ", VmbusVersions.All.Select(VmbusVersions.Text))}."));
        if (NvspVersions.Parse(options.NvspVersion) is null)
            faults.Add(new OptionFault("$.nvspVersion", $"\"{options.NvspVersion}\" is no version of NVSP that is spoken.", $"Write one of {string.Join(", ", NvspVersions.All.Select(NvspVersions.Text))}."));
    }
}
