using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// Network interfaces by rtnetlink, in the network namespace of the thread that made this object. Set-up code: each call is a request and its
/// answer. Not for several threads.
/// </summary>
public sealed class Rtnl : IDisposable
{
    /// <summary>The group of notifications about links.</summary>
    public const uint LinkGroup = 1;

    /// <summary>A link is new or has changed.</summary>
    public const ushort NewLink = 16;

    /// <summary>A link is gone.</summary>
    public const ushort DeletedLink = 17;

    internal const ushort IflaAddress = 1, IflaName = 3, IflaMtu = 4, IflaMaster = 10, IflaInfo = 18, IflaAlias = 20;
    internal const ushort InfoKind = 1, InfoData = 2, BridgeVlanFiltering = 7;

    private const ushort GetLink = 18, SetLink = 19, NewAddress = 20;
    private const ushort FlagRequest = 1, FlagAck = 4, FlagDump = 0x300, FlagExclusive = 0x200, FlagCreate = 0x400;
    private const ushort InfoSlaveKind = 4, InfoSlaveData = 5, IflaAfSpec = 26, IflaProtInfo = 12;
    private const ushort PortLearning = 8, PortIsolated = 33, VlanInfo = 2;
    private const ushort VlanPvid = 2, VlanUntagged = 4;
    private const byte FamilyBridge = 7;
    private const uint IffUp = 1;
    private readonly NetlinkSocket _socket = NetlinkSocket.Open();

    /// <summary>A link by its name.</summary>
    /// <param name="name">Up to 15 bytes.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="LinuxException">The kernel does not answer.</exception>
    public LinkInfo? Find(string name)
    {
        NetlinkWriter writer = new(stackalloc byte[256], GetLink, FlagRequest | FlagAck);
        writer.Struct(default(InterfaceInfo));
        writer.Add(IflaName, name);
        LinkInfo? found = null;
        SysResult result = _socket.Request(writer.Message, (type, body) => found = type == NewLink ? LinkInfo.Read(body) : found, out string why);
        return result.Error == Errno.ENODEV ? null : Check(result, why, $"look at {name}", found);
    }

    /// <summary>All links.</summary>
    /// <exception cref="LinuxException">The kernel does not answer.</exception>
    public IReadOnlyList<LinkInfo> All()
    {
        NetlinkWriter writer = new(stackalloc byte[64], GetLink, FlagRequest | FlagDump);
        writer.Struct(default(InterfaceInfo));
        List<LinkInfo> links = [];
        SysResult result = _socket.Request(writer.Message, (type, body) => { if (type == NewLink && LinkInfo.Read(body) is { } link) links.Add(link); }, out string why);
        return Check(result, why, "list interfaces", links);
    }

    /// <summary>Makes a bridge.</summary>
    /// <param name="name">Up to 15 bytes.</param>
    /// <param name="mac">Its hardware address, which says later whose it is.</param>
    /// <exception cref="LinuxException">It exists, or the kernel refuses.</exception>
    public void MakeBridge(string name, ulong mac)
    {
        NetlinkWriter writer = new(stackalloc byte[256], NewLink, FlagRequest | FlagAck | FlagCreate | FlagExclusive);
        writer.Struct(default(InterfaceInfo));
        writer.Add(IflaName, name);
        writer.Add(IflaAddress, Bytes(mac));
        int info = writer.Begin(IflaInfo);
        writer.Add(InfoKind, "bridge");
        writer.End(info);
        Send(writer.Message, $"make bridge {name}");
    }

    /// <summary>Removes a link.</summary>
    /// <param name="index">Its index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public void Remove(int index, string name)
    {
        NetlinkWriter writer = new(stackalloc byte[64], DeletedLink, FlagRequest | FlagAck);
        writer.Struct(new InterfaceInfo { Index = index });
        Send(writer.Message, $"remove {name}");
    }

    /// <summary>Changes what is given.</summary>
    /// <param name="index">The link's index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <param name="change">What.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public void Change(int index, string name, in LinkChange change)
    {
        NetlinkWriter writer = new(stackalloc byte[512], SetLink, FlagRequest | FlagAck);
        writer.Struct(new InterfaceInfo { Index = index, Flags = change.Up == true ? IffUp : 0, Change = change.Up is null ? 0 : IffUp });
        if (change.Mtu is { } mtu) writer.Add(IflaMtu, (uint)mtu);
        if (change.Mac is { } mac) writer.Add(IflaAddress, Bytes(mac));
        if (change.Master is { } master) writer.Add(IflaMaster, (uint)master);
        if (change.Alias is { } alias) writer.Add(IflaAlias, alias);
        Send(writer.Message, $"change {name}");
    }

    /// <summary>Sets what a bridge port does beyond forwarding.</summary>
    /// <param name="index">The port's index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <param name="isolated">Whether it reaches only ports that are not isolated.</param>
    /// <param name="learning">Whether the bridge learns addresses behind it.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public void SetPort(int index, string name, bool isolated, bool learning)
    {
        NetlinkWriter writer = new(stackalloc byte[256], SetLink, FlagRequest | FlagAck);
        writer.Struct(new InterfaceInfo { Family = FamilyBridge, Index = index });
        int port = writer.Begin(IflaProtInfo);
        writer.AddByte(PortLearning, learning ? (byte)1 : (byte)0);
        writer.AddByte(PortIsolated, isolated ? (byte)1 : (byte)0);
        writer.End(port);
        Send(writer.Message, $"set up the port {name}");
    }

    /// <summary>Turns a bridge's VLAN filter on.</summary>
    /// <param name="index">The bridge's index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <exception cref="LinuxException">The kernel refuses, or has no such filter.</exception>
    public void FilterVlans(int index, string name)
    {
        NetlinkWriter writer = new(stackalloc byte[256], NewLink, FlagRequest | FlagAck);
        writer.Struct(new InterfaceInfo { Index = index });
        int info = writer.Begin(IflaInfo);
        writer.Add(InfoKind, "bridge");
        int data = writer.Begin(InfoData);
        writer.AddByte(BridgeVlanFiltering, 1);
        writer.End(data);
        writer.End(info);
        Send(writer.Message, $"turn on the VLAN filter of {name}");
    }

    /// <summary>Makes a bridge port a member of a VLAN.</summary>
    /// <param name="index">The port's index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <param name="vlan">1 to 4094.</param>
    /// <param name="untagged">Whether this is the VLAN of frames without a tag.</param>
    /// <param name="remove">Whether to end a membership instead.</param>
    /// <exception cref="LinuxException">The kernel refuses, or has no such filter.</exception>
    public void SetVlan(int index, string name, ushort vlan, bool untagged, bool remove = false)
    {
        NetlinkWriter writer = new(stackalloc byte[256], remove ? DeletedLink : SetLink, FlagRequest | FlagAck);
        writer.Struct(new InterfaceInfo { Family = FamilyBridge, Index = index });
        int spec = writer.Begin(IflaAfSpec);
        writer.Add(VlanInfo, (uint)(untagged ? VlanPvid | VlanUntagged : 0) | ((uint)vlan << 16));
        writer.End(spec);
        Send(writer.Message, $"{(remove ? "take" : "make")} {name} {(remove ? "out of" : "a member of")} VLAN {vlan}");
    }

    /// <summary>Gives a link an IP address.</summary>
    /// <param name="index">The link's index.</param>
    /// <param name="name">For the message of a failure.</param>
    /// <param name="address">The address.</param>
    /// <param name="prefix">Bits of its network.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public void AddAddress(int index, string name, IPAddress address, int prefix)
    {
        ArgumentNullException.ThrowIfNull(address);
        byte[] bytes = address.GetAddressBytes();
        NetlinkWriter writer = new(stackalloc byte[256], NewAddress, FlagRequest | FlagAck | FlagCreate | FlagExclusive);
        writer.Struct(new AddressInfo { Family = (byte)(bytes.Length == 4 ? Sockets.AfInet : Sockets.AfInet6), Prefix = (byte)prefix, Index = index });
        writer.Add(2, bytes); // IFA_LOCAL
        writer.Add(1, bytes); // IFA_ADDRESS
        Send(writer.Message, $"give {name} the address {address}/{prefix}");
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Send(ReadOnlySpan<byte> message, string what) => Check(_socket.Request(message, null, out string why), why, what, true);

    private static T Check<T>(SysResult result, string why, string what, T value) =>
        result.Ok ? value : throw new LinuxException(result.Error, why.Length == 0 ? what : $"{what} ({why})");

    private static byte[] Bytes(ulong mac)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, mac);
        return bytes[2..];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct InterfaceInfo
    {
        internal byte Family;
        internal byte Padding;
        internal ushort Type;
        internal int Index;
        internal uint Flags;
        internal uint Change;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct AddressInfo
    {
        internal byte Family;
        internal byte Prefix;
        internal byte Flags;
        internal byte Scope;
        internal int Index;
    }
}

/// <summary>What to change of a link; what is left out stays.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LinkChange
{
    /// <summary>Switched on or off.</summary>
    public bool? Up { get; init; }

    /// <summary>The MTU in bytes.</summary>
    public int? Mtu { get; init; }

    /// <summary>The hardware address as a number.</summary>
    public ulong? Mac { get; init; }

    /// <summary>The index of the bridge that it becomes a port of; 0 for none.</summary>
    public int? Master { get; init; }

    /// <summary>A text for people.</summary>
    public string? Alias { get; init; }
}
