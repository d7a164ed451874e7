using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Probe.Frontend;

namespace NicHost.Hostile.Tests.Rig;

/// <summary>A guest whose memory file is not sealed: the front-end can cut it off while the device uses it.</summary>
internal sealed unsafe class ShrinkingGuest(VhostFrontend frontend) : IDisposable
{
    private const int Size = 1 << 20;
    private const ulong User = 0x7000_0000_0000;
    private const ulong Guest = 0x4000_0000;
    private const int Stride = 0x4000;

    private readonly Fd _file = VirtualMemory.CreateMemoryFile("shrinking", Size);
    private readonly EventFd[] _kicks = [new(), new()];
    private readonly EventFd _call = new();

    public VhostFrontend Frontend => frontend;

    /// <summary>Both rings, with buffers and a frame made available and not yet kicked.</summary>
    public void StartRings()
    {
        frontend.Negotiate();
        frontend.SetFeatures(VirtioFeatures.Version1 | VirtioFeatures.ProtocolFeatures | VirtioFeatures.MrgRxBuf);
        Fill();
        frontend.Request(VhostRequest.SetMemTable, Words(1, Guest, Size, User, 0), [_file.Raw]);
        for (var ring = 0; ring < 2; ring++)
        {
            var at = User + (ulong)(ring * Stride);
            frontend.SetRingState(VhostRequest.SetVringNum, ring, 8);
            frontend.SetRingState(VhostRequest.SetVringBase, ring, 0);
            frontend.Request(VhostRequest.SetVringAddr, Words((ulong)ring, at, at + 0x2000, at + 0x1000, 0), default);
            frontend.SetRingFd(VhostRequest.SetVringCall, ring, _call.Raw);
            frontend.SetRingFd(VhostRequest.SetVringKick, ring, _kicks[ring].Raw);
            frontend.EnableRing(ring, true);
        }
    }

    /// <summary>Takes the memory away, rings and all.</summary>
    public void Shrink() => VirtualMemory.Resize(_file.Raw, 0).OrThrow("shrink");

    public void Kick()
    {
        foreach (var kick in _kicks) kick.Signal();
    }

    public void Dispose()
    {
        frontend.Dispose();
        _file.Dispose();
        _call.Dispose();
        foreach (var kick in _kicks) kick.Dispose();
    }

    private void Fill()
    {
        var map = (byte*)VirtualMemory.MapSharedFile(_file.Raw, 0, Size, Protection.ReadWrite).OrThrow("map");
        for (var ring = 0; ring < 2; ring++)
        {
            for (var i = 0; i < 8; i++)
            {
                // SAFETY: tables of eight entries in the first pages of the mapping.
                var entry = (ulong*)(map + (ring * Stride) + (i * 16));
                entry[0] = Guest + 0x1_0000 + (ulong)((ring * 8) + i) * 2048;
                entry[1] = ring == 0 ? 2048 | (2ul << 32) : 200;
                ((ushort*)(map + (ring * Stride) + 0x1000))[2 + i] = (ushort)i;
            }
            if (ring == 0) ((ushort*)(map + 0x1000))[1] = 8;
        }
        VirtualMemory.Unmap((nint)map, Size);
    }

    private static byte[] Words(params ulong[] words)
    {
        var bytes = new byte[words.Length * 8];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), words[i]);
        return bytes;
    }
}
