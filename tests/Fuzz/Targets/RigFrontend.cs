using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Fuzz.Targets;

/// <summary>The other end of the socket, for scripts: sends any bytes with any descriptors, reads answers away, never waits.</summary>
internal sealed class RigFrontend : IDisposable
{
    public const ulong GuestBase = 0x4000_0000;
    public const ulong UserBase = 0x7000_0000_0000;
    public const int MemorySize = 1 << 20;
    public const int SecondSize = 1 << 16;

    private readonly DeviceRig _rig;
    private readonly byte[] _answer = new byte[8192];

    public RigFrontend(DeviceRig rig)
    {
        _rig = rig;
        Socket = UnixSocket.Connect(rig.Socket);
        Io.SetNonBlocking(Socket.Raw, true);
        rig.Turn();
    }

    public Fd Socket { get; }

    /// <summary>Sends a message in one piece.</summary>
    public void Send(uint request, ReadOnlySpan<byte> payload, ReadOnlySpan<int> fds = default, uint flags = 1, int sizeError = 0)
    {
        Span<byte> message = stackalloc byte[12 + 1024];
        payload = payload[..Math.Min(payload.Length, 1024)];
        BinaryPrimitives.WriteUInt32LittleEndian(message, request);
        BinaryPrimitives.WriteUInt32LittleEndian(message[4..], flags);
        BinaryPrimitives.WriteInt32LittleEndian(message[8..], payload.Length + sizeError);
        payload.CopyTo(message[12..]);
        Raw(message[..(12 + payload.Length)], fds);
    }

    public void Raw(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> fds)
    {
        if (bytes.Length > 0) UnixSocket.SendWithFds(Socket.Raw, bytes, fds);
    }

    /// <summary>Lets the device work and reads what it answers.</summary>
    /// <returns>Bytes of the answer.</returns>
    public ReadOnlySpan<byte> Turn()
    {
        _rig.Turn();
        var got = Sockets.Receive(Socket.Raw, _answer);
        return got.Ok ? _answer.AsSpan(0, got.Count) : default;
    }

    public static byte[] Words(params ulong[] words) => new ScriptWriter().Words(words).ToArray();

    public static byte[] State(uint index, uint value) => new ScriptWriter().Double(index).Double(value).ToArray();

    public void Dispose() => Socket.Dispose();
}
