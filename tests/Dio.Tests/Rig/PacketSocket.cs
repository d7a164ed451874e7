using System.Runtime.InteropServices;
using NicHost.Linux;

namespace NicHost.Dio.Tests.Rig;

/// <summary>A peer on an interface of the world: sends and hears whole frames, with the virtio-net header that tells of super-frames.</summary>
internal sealed partial class PacketSocket : IDisposable
{
    private const int AfPacket = 17;
    private const int AllProtocols = 0x0300; // ETH_P_ALL in network order
    private const int LevelPacket = 263;
    private const int VnetHeader = 15;
    private const int HeaderSize = 10;
    private readonly Fd _fd;

    public PacketSocket(string name)
    {
        _fd = new Fd((int)Sockets.Create(AfPacket, 3, AllProtocols).OrThrow("open a packet socket"));
        Sockets.SetOption(_fd.Raw, LevelPacket, VnetHeader, 1).OrThrow("ask for headers");
        Span<byte> address = stackalloc byte[20];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)AfPacket);
        MemoryMarshal.Write(address[2..], (ushort)AllProtocols);
        MemoryMarshal.Write(address[4..], (int)ThisProcess.InterfaceIndex(name).OrThrow(name));
        Assert.Equal(0, bind(_fd.Raw, ref MemoryMarshal.GetReference(address), (uint)address.Length));
    }

    /// <summary>Sends a frame that is whole.</summary>
    public void Send(ReadOnlySpan<byte> frame) => Send(default(Header), frame);

    /// <summary>Sends a frame that leaves something to do.</summary>
    public void Send(Header header, ReadOnlySpan<byte> frame)
    {
        var bytes = new byte[HeaderSize + frame.Length];
        MemoryMarshal.Write(bytes, in header);
        frame.CopyTo(bytes.AsSpan(HeaderSize));
        var sent = Sockets.Send(_fd.Raw, bytes);
        Assert.True(sent.Ok, sent.ToString());
    }

    /// <summary>Takes the next frame of a kind; null when there is none now.</summary>
    public (Header Header, byte[] Frame)? TryReceive(Func<byte[], bool> wanted)
    {
        var buffer = new byte[HeaderSize + 70_000];
        while (Sockets.Receive(_fd.Raw, buffer) is { Ok: true } result)
        {
            var frame = buffer[HeaderSize..result.Count];
            if (wanted(frame)) return (MemoryMarshal.Read<Header>(buffer), frame);
        }
        return null;
    }

    public void Dispose() => _fd.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, ref byte address, uint length);

    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public byte Flags;
        public byte GsoType;
        public ushort HeaderLength;
        public ushort GsoSize;
        public ushort ChecksumStart;
        public ushort ChecksumOffset;
    }
}
