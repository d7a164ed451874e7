using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Tests.Topology;
using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Machines;

/// <summary>A running host with doubles for plugins and a clock that the test moves.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private TestHost(string topology, QueueThreading threading)
    {
        Devices = new FakeDeviceFactory(Events);
        Endpoints = new FakeEndpointFactory(Events, threading);
        var catalog = PluginCatalog.Of([("card", Devices)], [("cable", Endpoints)]);
        Catalog = catalog;
        Wanted = Read(topology);
        Runtime = new HostRuntime(() => catalog.Plugins, 2, NullLoggerFactory.Instance, Time);
    }

    public FakeTimeProvider Time { get; } = new();

    public ConcurrentQueue<string> Events { get; } = new();

    public FakeDeviceFactory Devices { get; }

    public FakeEndpointFactory Endpoints { get; }

    public HostRuntime Runtime { get; }

    public PluginCatalog Catalog { get; }

    public TopologyModel Wanted { get; }

    public TopologyModel Read(string topology) => MemoryFiles.Source(topology).Read(Catalog);

    public Task<ChangeResult> StartAsync() => Runtime.ApplyAsync(Wanted);

    public static TestHost Create(QueueThreading threading, params string[] nics) => new(Topology(nics), threading);

    public static TestHost Of(string topology, QueueThreading threading = QueueThreading.LoopPerQueue) => new(topology, threading);

    public static async Task<TestHost> StartAsync(params string[] nics)
    {
        var host = Create(QueueThreading.LoopPerQueue, nics);
        await host.StartAsync();
        return host;
    }

    public NicInstance Nic(string nic) => Runtime.Nics.Single(n => n.Identity.Nic == nic);

    public FakeDevice Device(string nic) => Devices.Devices[new NicIdentity("vm", nic)];

    public FakeEndpoint Endpoint(string nic) => Endpoints.Endpoints[new NicIdentity("vm", nic)];

    public ValueTask DisposeAsync() => Runtime.DisposeAsync();

    public static string Topology(params string[] nics)
    {
        var each = nics.Select(nic => $$"""
            "{{nic}}": { "device": { "kind": "card", "queues": 8 }, "endpoint": { "kind": "cable" } }
            """);
        return $$"""{ "vms": { "vm": { "nics": { {{string.Join(",", each)}} } } } }""";
    }
}
