using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>What a client sends: bytes, and descriptors that come with them (SCM_RIGHTS). Descriptors that nobody took are closed with it.</summary>
internal sealed class ControlInput(Socket socket) : IDisposable
{
    /// <summary>Descriptors of one request at most.</summary>
    public const int MostDescriptors = 64;

    private readonly byte[] _peeked = new byte[1];
    private readonly int[] _came = new int[MostDescriptors];
    private List<SafeHandle> _descriptors = [];

    /// <summary>Whether more descriptors came than are taken.</summary>
    public bool TooMany { get; private set; }

    /// <summary>The descriptors that came so far, the caller's from now on.</summary>
    public IReadOnlyList<SafeHandle> TakeDescriptors()
    {
        var taken = _descriptors;
        _descriptors = [];
        return taken;
    }

    /// <summary>Reads some bytes.</summary>
    /// <returns>How many; 0 at the end.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        while (true)
        {
            // To wait without blocking a thread; a peek leaves the descriptors where they are.
            await socket.ReceiveAsync(_peeked, SocketFlags.Peek, cancel);
            var result = UnixSocket.ReceiveWithFds((int)socket.Handle, buffer.Span, _came, out var count, out var truncated);
            for (var i = 0; i < count; i++) Keep(new SafeFileHandle(_came[i], ownsHandle: true));
            TooMany |= truncated;
            if (result.WouldBlock) continue;
            return result.Ok ? (int)result.Count : throw new IOException($"The connection is broken: {LinuxException.Describe(result.Error)}.");
        }
    }

    public void Dispose()
    {
        foreach (var descriptor in TakeDescriptors()) descriptor.Dispose();
    }

    private void Keep(SafeFileHandle descriptor)
    {
        if (_descriptors.Count < MostDescriptors) _descriptors.Add(descriptor);
        else
        {
            TooMany = true;
            descriptor.Dispose();
        }
    }
}
