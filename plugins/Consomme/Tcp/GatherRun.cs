using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <summary>Payload of one flow in one batch, in guest memory, on its way into one <c>sendmsg</c>.</summary>
internal sealed class GatherRun
{
    public readonly Segment[] Segments = new Segment[IoVec.MaxCount];
    public TcpFlow? Flow;
    public int Count;
    public int Bytes;
}
