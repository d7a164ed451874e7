using System.ComponentModel;
using System.Text;
using System.Text.Json.Serialization;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Options;
using NicHost.Linux;

namespace NicDevice1;

/// <summary>The <c>device</c> object of this kind. Descriptions go into the topology's JSON schema.</summary>
[Description("Ethernet frames over a UNIX stream socket, as QEMU's -netdev stream sends them.")]
internal sealed record StreamOptions
{
    [Description("Path of the socket, at most 107 bytes; relative paths are relative to the topology file.")]
    public required string Socket { get; init; }

    /// <summary>Binding, schema and check in one.</summary>
    public static OptionsModel<StreamOptions> Model { get; } = new(StreamJson.Default.StreamOptions, Check);

    public string FullPath(DeviceContext context) => Path.GetFullPath(Socket, context.BaseDirectory);

    // What types alone do not show. Every fault names its place and the remedy.
    private static void Check(StreamOptions options, ICollection<OptionFault> faults)
    {
        var bytes = Encoding.UTF8.GetByteCount(options.Socket);
        if (bytes == 0 || options.Socket.Contains('\0', StringComparison.Ordinal))
            faults.Add(new OptionFault("$.socket", "This is not a path.", "Write a path such as \"/run/user/1000/demo-eth0.sock\"."));
        else if (bytes > UnixSocket.MaxPathLength)
            faults.Add(new OptionFault("$.socket", $"The path has {bytes} bytes.", $"A UNIX socket's path has at most {UnixSocket.MaxPathLength}: use a shorter folder."));
    }
}

/// <summary>Source-generated: JSON by reflection would hold the plugin's load context.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(StreamOptions))]
internal sealed partial class StreamJson : JsonSerializerContext;
