namespace NicHost.Benchmarks.Bulk;

/// <summary>The near end of a measurement. Rates are per second.</summary>
internal interface IBulkClient
{
    /// <summary>Bytes per second that the server sinks.</summary>
    double TcpUp(TimeSpan time);

    /// <summary>Bytes per second received.</summary>
    double TcpDown(TimeSpan time);

    /// <summary>One-byte questions answered per second over one connection.</summary>
    double TcpRoundTrips(TimeSpan time);

    /// <summary>Connections opened and closed per second, one after the other.</summary>
    double Connects(TimeSpan time);

    /// <summary>Datagrams per second that the server sinks.</summary>
    double UdpUp(TimeSpan time, int size);

    /// <summary>Datagrams per second received of those that the server sends.</summary>
    double UdpDown(TimeSpan time, int size);

    /// <summary>Datagrams echoed per second, one after the other.</summary>
    double UdpRoundTrips(TimeSpan time);
}
