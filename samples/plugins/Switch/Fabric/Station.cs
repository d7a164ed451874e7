using NicHost.Contracts.Nics;

namespace Samples.Switch.Fabric;

/// <summary>An address and the port that it is behind.</summary>
/// <param name="address">The address.</param>
/// <param name="port">Where it is.</param>
/// <param name="isFixed">Whether it is the NIC's own: then it stays for as long as the port does, and no other port can have it.</param>
internal sealed class Station(MacAddress address, Port port, bool isFixed)
{
    private long _seen;

    public MacAddress Address { get; } = address;

    public Port Port { get; } = port;

    public bool IsFixed { get; } = isFixed;

    /// <summary>When a frame last came from it, in milliseconds of the loops' clock. Written by its port's loop.</summary>
    public long Seen
    {
        get => Volatile.Read(ref _seen);
        set => Volatile.Write(ref _seen, value);
    }

    /// <summary>Whether frames to it should be sent to its port alone.</summary>
    public bool IsKnown(long now) => IsFixed || now - Seen < Lan.AgeMilliseconds;

    /// <summary>Whether another port that sends from this address is to be believed that it has moved there.</summary>
    public bool MayMove(long now) => !IsFixed && now - Seen >= Lan.QuietMilliseconds;
}
