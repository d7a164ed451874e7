using NicHost.Contracts.Diagnostics;

namespace NicHost.NetVsp.Net;

/// <content>The live tree. Numbers of a queue on another loop are read while it works: each is whole, the set perhaps a moment apart.</content>
internal sealed partial class NetQueue
{
    public void Inspect(InspectWriter writer)
    {
        var (incoming, outgoing, channel) = (_in, _out, _channel);
        writer.Value("state", incoming is null || outgoing is null ? "closed" : Fault is { } fault ? "broken: " + fault : _endpoint is null ? "open" : "running");
        if (incoming is null || outgoing is null) return;
        writer.Value("targetVp", channel?.TargetVp ?? 0);
        writer.Value("accepted", _openedWith.ToString());
        using (writer.Section("incoming"))
        {
            writer.Value("size", incoming.Size);
            writer.Value("read", incoming.ReadIndex);
            writer.Value("write", incoming.WriteIndex);
        }
        using (writer.Section("outgoing"))
        {
            writer.Value("size", outgoing.Size);
            writer.Value("read", outgoing.ReadIndex);
            writer.Value("write", outgoing.WriteIndex);
            writer.Value("waitsFor", outgoing.Wish);
        }
        writer.Value("txWaiting", _tx.Waiting);
        writer.Value("rxSectionsFree", _rx.Available);
        writer.Value("rxSections", _rx.Owned);
        writer.Value("answersWaiting", _answers.Count);
    }
}
