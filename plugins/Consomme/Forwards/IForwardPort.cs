using NicHost.Consomme.Core;

namespace NicHost.Consomme.Forwards;

/// <summary>An open port of the host that leads to the guest. Where it listens is for life; what it leads to may change.</summary>
internal interface IForwardPort : IDisposable
{
    /// <summary>What it leads to: newcomers are taken there.</summary>
    Forward Forward { get; set; }

    /// <summary>The address that it listens on.</summary>
    IpAddr Host { get; }

    /// <summary>The port that it listens on: the forward's, or the one that the kernel chose.</summary>
    ushort Port { get; }

    /// <summary>Whether another socket of this process may be bound to an address that overlaps with this one's.</summary>
    void AllowOverlap(bool allow);

    /// <summary>Takes who is at the door already, then closes.</summary>
    void Retire();
}
