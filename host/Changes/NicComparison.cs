using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Host.Machines;
using NicHost.Host.Topology;
using NicHost.Loops;

namespace NicHost.Host.Changes;

/// <summary>How gently one NIC becomes another: in place, by a move to another endpoint, or by making it anew.</summary>
internal sealed class NicComparison(EventLoop scratch)
{
    /// <param name="before">As it runs.</param>
    /// <param name="after">As it is wanted.</param>
    /// <param name="shape">How its queues lie; null when it does not run at present.</param>
    /// <returns>Null when there is no difference.</returns>
    public NicChange? Compare(NicModel before, NicModel after, NicShape? shape)
    {
        MemberChange[] members = [.. Differences(before, after)];
        if (members.Length == 0) return null;
        var change = new NicChange(after.Identity, NicChangeKind.Update) { Before = before, After = after, Members = members };
        // Nobody loses anything, and it starts anew with what is wanted.
        if (shape is not { } running) return change with { Kind = NicChangeKind.Replug };

        if (before.Mac != after.Mac) return Replug("a guest reads its card's address once");
        if (before.Mtu != after.Mtu) return Replug("a guest reads its card's MTU once");
        if (before.Device.Source != after.Device.Source) return Replug($"its device's {Other(before.Device, after.Device)}");
        var device = !Same(before.Device.Options, after.Device.Options) || before.BaseDirectory != after.BaseDirectory;
        if (device && !CanReconfigureDevice(before, after)) return Replug($"a {after.Device.Kind} device does not change this while it runs");
        change = change with { ReconfiguresDevice = device };

        var isOther = before.Endpoint.Source != after.Endpoint.Source;
        if (!isOther && Same(before.Endpoint.Options, after.Endpoint.Options)) return change;
        if (!isOther && CanReconfigureEndpoint(before, after)) return change with { ReconfiguresEndpoint = true };
        var why = isOther ? $"its endpoint's {Other(before.Endpoint, after.Endpoint)}" : $"a {after.Endpoint.Kind} endpoint does not change this while it runs";
        return Obstacle(after, running) is { } obstacle ? Replug(obstacle) : change with { Kind = NicChangeKind.Move, Why = why };

        NicChange Replug(string why) => change with { Kind = NicChangeKind.Replug, Why = why, ReconfiguresDevice = false };
    }

    private static IEnumerable<MemberChange> Differences(NicModel before, NicModel after)
    {
        if (before.Mac != after.Mac) yield return new MemberChange("mac", $"\"{before.Mac}\"", $"\"{after.Mac}\"");
        if (before.Mtu != after.Mtu) yield return new MemberChange("mtu", $"{before.Mtu}", $"{after.Mtu}");
        if (before.IsLinkUp != after.IsLinkUp) yield return new MemberChange("link", Link(before), Link(after));
        foreach (var change in JsonDifference.Find("restart", Json(before.Restart), Json(after.Restart))) yield return change;
        foreach (var change in Part("device", before.Device, after.Device)) yield return change;
        foreach (var change in Part("endpoint", before.Endpoint, after.Endpoint)) yield return change;
        if (before.BaseDirectory != after.BaseDirectory) yield return new MemberChange("(folder)", $"\"{before.BaseDirectory}\"", $"\"{after.BaseDirectory}\"");
    }

    private static IEnumerable<MemberChange> Part<TFactory>(string name, PartModel<TFactory> before, PartModel<TFactory> after) where TFactory : class
    {
        foreach (var change in JsonDifference.Find(name, before.Options, after.Options)) yield return change;
        if (before.Kind == after.Kind && before.Source != after.Source)
            yield return new MemberChange($"{name} (plugin)", $"\"{before.Source.Plugin}\"", $"\"{after.Source.Plugin}\"");
    }

    private static JsonElement Json(RestartPolicy policy) => JsonSerializer.SerializeToElement(policy.ToConfig(), TopologyJson.Default.RestartConfig);

    private static string Link(NicModel nic) => nic.IsLinkUp ? "\"up\"" : "\"down\"";

    private static string Other<TFactory>(PartModel<TFactory> before, PartModel<TFactory> after) where TFactory : class =>
        before.Kind != after.Kind ? "kind is another" : "plugin is of another version";

    private static bool Same(JsonElement before, JsonElement after) => JsonElement.DeepEquals(before, after);

    private bool CanReconfigureDevice(NicModel before, NicModel after) => Guard(() =>
        after.Device.Factory.CanReconfigure(NicContexts.Device(before, scratch, NullLoggerFactory.Instance, new VmScope()), NicContexts.Device(after, scratch, NullLoggerFactory.Instance, new VmScope())));

    private bool CanReconfigureEndpoint(NicModel before, NicModel after) => Guard(() =>
        after.Endpoint.Factory.CanReconfigure(NicContexts.Endpoint(before, scratch, NullLoggerFactory.Instance), NicContexts.Endpoint(after, scratch, NullLoggerFactory.Instance)));

    /// <summary>Why the wanted endpoint cannot take the running queues; null when it can.</summary>
    private string? Obstacle(NicModel after, NicShape running)
    {
        var capabilities = Capabilities(after);
        if (capabilities is null) return $"the {after.Endpoint.Kind} endpoint cannot be asked what it can do";
        if (capabilities.MaxQueues < running.Queues) return $"the guest has {running.Queues} queues, a {after.Endpoint.Kind} endpoint takes {capabilities.MaxQueues}";
        return capabilities.Threading == QueueThreading.SharedLoop && !running.OneLoop
            ? $"the NIC's queues run on several threads, those of a {after.Endpoint.Kind} endpoint share one" : null;
    }

    private EndpointCapabilities? Capabilities(NicModel nic)
    {
        try
        {
            var endpoint = nic.Endpoint.Factory.Create(NicContexts.Endpoint(nic, scratch, NullLoggerFactory.Instance));
            _ = endpoint.DisposeAsync().AsTask().ContinueWith(t => t.Exception, TaskScheduler.Default);
            return endpoint.Capabilities;
        }
#pragma warning disable CA1031 // a plugin that fails here will fail again where it is told
        catch (Exception) { return null; }
#pragma warning restore CA1031
    }

    private static bool Guard(Func<bool> ask)
    {
        try { return ask(); }
#pragma warning disable CA1031 // a plugin that cannot say yes has said no
        catch (Exception) { return false; }
#pragma warning restore CA1031
    }
}
