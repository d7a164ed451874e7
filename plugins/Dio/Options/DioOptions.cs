using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicHost.Dio.Options;

internal sealed record DioOptions
{
    [Description("The switch: a bridge, an Open vSwitch bridge, on Windows a virtual switch. Left out: whatever the NIC is plugged into already; on Windows the Default Switch.")]
    public SwitchOptions? Switch { get; set; }

    [Description("The host's side of the NIC: a TAP; on Windows a NIC of the virtual switch.")]
    public NicOptions Nic { get; set; } = new();

    [Description("The switch's port that the NIC is plugged into.")]
    public PortOptions Port { get; set; } = new();
}

internal sealed record SwitchOptions
{
    [Description("Name of the bridge or switch, up to 15 bytes on Linux. On Windows a name or an id.")]
    public required string Name { get; init; }

    [Description("What kind it is. On Linux bridge or openvswitch.")]
    public SwitchType Type { get; set; }

    [Description("Whether to make the bridge when it is not there. What was made goes with its last port; what was there stays. Needs CAP_NET_ADMIN. Off by default.")]
    public bool Create { get; set; }

    [Description("Addresses of the host on a bridge that is made here, as address/prefix: 192.0.2.1/24, 2001:db8::1/64.")]
    public IReadOnlyList<string> Addresses { get; set; } = [];
}

[JsonConverter(typeof(JsonStringEnumConverter<SwitchType>))]
internal enum SwitchType
{
    [JsonStringEnumMemberName("bridge")] Bridge,
    [JsonStringEnumMemberName("openvswitch")] OpenVSwitch,
}

internal sealed record NicOptions
{
    [Description("Name of the TAP, up to 15 bytes. On Windows a name for people.")]
    public string? Name { get; set; }

    [Description("Whether to make the TAP; it goes with the NIC. Needs CAP_NET_ADMIN. Off by default: a TAP that is there is used and left, as \"nichost dio prepare\" or \"ip tuntap add\" made it for our user.")]
    public bool Create { get; set; }

    [Description("Instead of a name: the management stack passes an open TAP, a descriptor for each queue, over the host's control socket (nichost pass). The guest's link is down until it has.")]
    public bool Passed { get; set; }

    [Description("A UNIX socket (SOCK_SEQPACKET) at which a TAP may be passed, too, by who may not command the host. With it \"passed\" need not be set.")]
    [HostPath]
    public string? Socket { get; set; }

    /// <summary>Whether a TAP is passed, one way or the other.</summary>
    [JsonIgnore]
    public bool IsPassed => Passed || Socket is not null;

    [Description("The most queues; a queue that the guest does not use takes none of the TAP.")]
    [Range(1, 64)]
    public int Queues { get; set; } = 8;

    [Description("Whether checksums and segmentation are left to the kernel, in both directions. Off: every frame on the TAP is whole, for a switch that cannot do them.")]
    public bool Offloads { get; set; } = true;
}

internal sealed record PortOptions
{
    [Description("Whether to plug the NIC into the switch here. Needs CAP_NET_ADMIN for a bridge, access to its database for Open vSwitch. Off by default: the NIC is a port already. A TAP that is made here is always plugged in here.")]
    public bool Create { get; set; }

    [Description("Windows: id of a port that the management stack made.")]
    public string? Id { get; set; }

    [Description("VLAN of the guest's untagged frames. The bridge's VLAN filter has to be on; on a bridge made here it is turned on.")]
    [Range(1, 4094)]
    public ushort? Vlan { get; set; }

    [Description("VLANs that the guest sends and gets with tags. Without these and \"vlan\" all tags pass as they are.")]
    public IReadOnlyList<ushort> TaggedVlans { get; set; } = [];

    [Description("Whether the guest reaches only ports that are not isolated: the way out, not its neighbours.")]
    public bool Isolated { get; set; }

    [Description("Whether the bridge learns the addresses behind the port.")]
    public bool Learning { get; set; } = true;
}
