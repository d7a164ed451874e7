using System.Buffers.Binary;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicEndpoint1;

/// <summary>The <c>endpoint</c> object of this kind. Descriptions go into the topology's JSON schema.</summary>
[Description("Answers ARP and ping for one address.")]
internal sealed record ResponderOptions
{
    // A member with a default has a setter: generated JSON code would overwrite the default of an init-only one that the text leaves out.
    [Description("The IPv4 address that answers.")]
    public string Address { get; set; } = "192.0.2.1";

    /// <summary>Binding, schema and check in one.</summary>
    public static OptionsModel<ResponderOptions> Model { get; } = new(ResponderJson.Default.ResponderOptions, Check);

    /// <summary>192.0.2.1 is 0xC0000201; null when the text is no such address.</summary>
    public uint? ParseAddress()
    {
        if (!IPAddress.TryParse(Address, out var address) || address.AddressFamily != AddressFamily.InterNetwork) return null;
        return BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
    }

    // What types alone do not show. Every fault names its place and the remedy.
    private static void Check(ResponderOptions options, ICollection<OptionFault> faults)
    {
        if (options.ParseAddress() is null)
            faults.Add(new OptionFault("$.address", $"\"{options.Address}\" is not an IPv4 address.", "Write one such as \"192.0.2.1\"."));
    }
}

/// <summary>Source-generated: JSON by reflection would hold the plugin's load context.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ResponderOptions))]
internal sealed partial class ResponderJson : JsonSerializerContext;
