namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>Where a host under test runs.</summary>
internal interface IHostWorld
{
    Netns Host { get; }

    /// <summary>Sockets, logs and configurations; removed at the end.</summary>
    string Folder { get; }
}
