using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>Guest memory as a front-end has it: a memory file, mapped here for the test's driver. Guest and user addresses differ on purpose.</summary>
internal sealed unsafe class GuestFile : IDisposable
{
    public const ulong GuestBase = 0x10_0000;
    public const ulong UserBase = 0x7f00_0000_0000;

    private readonly MappedFile _mapping;

    public GuestFile(int size, ulong fileOffset = 0)
    {
        Size = size;
        FileOffset = fileOffset;
        File = VirtualMemory.CreateMemoryFile("guest", (long)fileOffset + size);
        _mapping = MappedFile.Map(File.Raw, fileOffset, (ulong)size);
    }

    public int Size { get; }
    public ulong FileOffset { get; }
    public Fd File { get; }
    public byte* Host => (byte*)_mapping.Address;

    public byte* At(ulong guest) => Host + (guest - GuestBase);

    public Span<byte> Span(ulong guest, int length) => new(At(guest), length);

    public GuestMemory Map() => new([new GuestRegion(GuestBase, (ulong)Size, _mapping.Address, UserBase)]);

    public static ulong ToUser(ulong guest) => guest - GuestBase + UserBase;

    public void Dispose()
    {
        _mapping.Dispose();
        File.Dispose();
    }
}
