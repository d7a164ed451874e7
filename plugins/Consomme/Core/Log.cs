using System.Net;
using Microsoft.Extensions.Logging;

namespace NicHost.Consomme.Core;

/// <summary>What is worth a line. Nothing per packet.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "{Forwards} ports of the host lead to the guest: {Opened} opened, {Closed} closed")]
    public static partial void Forwards(ILogger logger, int forwards, int opened, int closed);

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
