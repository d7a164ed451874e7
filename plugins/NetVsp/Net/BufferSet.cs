using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Nvsp;

namespace NicHost.NetVsp.Net;

/// <summary>The guest's buffers as all queues use them. Immutable; each queue is told of a new one on its own loop.</summary>
internal sealed class BufferSet
{
    public static BufferSet None { get; } = new();

    /// <summary>Where frames for the guest are put; null before it gave one and after it took it back.</summary>
    public GpaPages? Receive { get; init; }

    public uint ReceiveHandle { get; init; }

    /// <summary>Bytes of one section of it.</summary>
    public int SectionSize { get; init; }

    /// <summary>Sections of it.</summary>
    public int SectionCount { get; init; }

    /// <summary>Where the guest puts short frames; null when it has none.</summary>
    public GpaPages? Send { get; init; }

    public uint SendHandle { get; init; }

    public int SendSections => Send is null ? 0 : Send.Length / NvspFormat.SendSectionSize;

    public BufferSet WithReceive(GpaPages? pages, uint handle, int sectionSize, int sectionCount) => new()
    {
        Receive = pages,
        ReceiveHandle = handle,
        SectionSize = sectionSize,
        SectionCount = sectionCount,
        Send = Send,
        SendHandle = SendHandle,
    };

    public BufferSet WithSend(GpaPages? pages, uint handle) => new()
    {
        Receive = Receive,
        ReceiveHandle = ReceiveHandle,
        SectionSize = SectionSize,
        SectionCount = SectionCount,
        Send = pages,
        SendHandle = handle,
    };
}
