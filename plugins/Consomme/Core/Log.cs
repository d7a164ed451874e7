using System.Net;
using Microsoft.Extensions.Logging;
using NicHost.Consomme.Udp;

namespace NicHost.Consomme.Core;

/// <summary>What is worth a line. Nothing per packet.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "UDP {Bound} leads to the guest's {Guest} port {Port}")]
    public static partial void UdpForward(ILogger logger, UdpEnd bound, IpAddr guest, ushort port);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "The guest has the lease of {Address}")]
    public static partial void Leased(ILogger logger, IpAddr address);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "The guest has given {Address} back")]
    public static partial void Released(ILogger logger, IpAddr address);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Warning, Message = "The guest declines {Address}: it sees another station there")]
    public static partial void Declined(ILogger logger, IpAddr address);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Information, Message = "Name servers: {Servers}")]
    public static partial void NameServers(ILogger logger, IReadOnlyList<IPEndPoint> servers);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Warning, Message = "Name server {Server} does not answer: it is asked last for {Seconds} seconds")]
    public static partial void NameServerDead(ILogger logger, IPEndPoint server, int seconds);
}
