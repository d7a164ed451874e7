namespace NicHost.Consomme.Core;

/// <summary>Names a flow as the guest sees it: its own address and port, and the remote ones.</summary>
internal readonly record struct FlowKey(IpAddr Guest, IpAddr Remote, ushort GuestPort, ushort RemotePort)
{
    public override int GetHashCode()
    {
        // A per-process seed keeps a guest from choosing ports that fall into one bucket (HashCode.Combine is seeded).
        return HashCode.Combine(Guest.High ^ Remote.High, Guest.Low, Remote.Low, ((uint)GuestPort << 16) | RemotePort);
    }

    public override string ToString() => $"{Format(Guest, GuestPort)} -> {Format(Remote, RemotePort)}";

    private static string Format(IpAddr address, ushort port) => address.IsV4 ? $"{address}:{port}" : $"[{address}]:{port}";
}
