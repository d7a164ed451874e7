using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Linux;

/// <summary>What inotify(7) watches for and reports.</summary>
[Flags]
public enum InotifyEvents : uint
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Content was written.</summary>
    Modify = 0x2,
    /// <summary>Metadata changed; also: a link to the file was removed.</summary>
    Attributes = 0x4,
    /// <summary>A file open for writing was closed.</summary>
    CloseWrite = 0x8,
    /// <summary>In a watched folder: something was renamed away.</summary>
    MovedFrom = 0x40,
    /// <summary>In a watched folder: something was renamed to here, as editors and resolvconf do it.</summary>
    MovedTo = 0x80,
    /// <summary>In a watched folder: something was created.</summary>
    Create = 0x100,
    /// <summary>In a watched folder: something was deleted.</summary>
    Delete = 0x200,
    /// <summary>The watched thing itself was deleted.</summary>
    DeleteSelf = 0x400,
    /// <summary>The watched thing itself was renamed.</summary>
    MoveSelf = 0x800,
    /// <summary>Reported only: reports were lost, look at everything.</summary>
    Overflow = 0x4000,
    /// <summary>Reported only: the watch has ended.</summary>
    Ignored = 0x8000,
    /// <summary>Watch only when it is a folder.</summary>
    OnlyFolder = 0x0100_0000,
    /// <summary>Reported only: what it is about is a folder.</summary>
    IsFolder = 0x4000_0000,
    /// <summary>All that can change what a file in a watched folder says.</summary>
    AnyChange = Modify | CloseWrite | MovedFrom | MovedTo | Create | Delete | DeleteSelf | MoveSelf,
}

/// <summary>One report.</summary>
/// <param name="Watch">What <see cref="Inotify.Add"/> returned.</param>
/// <param name="Events">What happened.</param>
/// <param name="Name">The file's name within a watched folder, else empty.</param>
public readonly record struct InotifyReport(int Watch, InotifyEvents Events, string Name);

/// <summary>
/// Watches files on an event loop of one's own. Watch the folder, not the file: files such as /etc/resolv.conf are replaced by renaming, and a
/// watch follows the old file. Not for the data path: reports allocate.
/// </summary>
public sealed unsafe class Inotify : IDisposable
{
    // struct inotify_event: watch, mask, cookie, length of the name with its padding; then the name
    private const int MaskAt = 4;
    private const int NameLengthAt = 12;
    private const int HeaderLength = 16;
    private const int BufferLength = 4096; // more than one report with the longest name

    private readonly Fd _fd = new((int)SysResult.From(Libc.inotify_init1(Sockets.NonBlock | Sockets.CloExec)).OrThrow("create an inotify descriptor"));

    /// <summary>The descriptor, readable when there are reports.</summary>
    public int Raw => _fd.Raw;

    /// <summary>Starts watching, or changes what a path is watched for.</summary>
    /// <param name="path">A file or, better, a folder.</param>
    /// <param name="events">What to watch for.</param>
    /// <returns>The watch's number.</returns>
    public SysResult Add(string path, InotifyEvents events)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(path)) return SysResult.From(Libc.inotify_add_watch(_fd.Raw, p, (uint)events));
    }

    /// <summary>Ends a watch.</summary>
    /// <param name="watch">What <see cref="Add"/> returned.</param>
    public SysResult Remove(int watch) => SysResult.From(Libc.inotify_rm_watch(_fd.Raw, watch));

    /// <summary>Takes the reports that are there, without waiting.</summary>
    /// <param name="reports">They are appended here.</param>
    /// <returns>How many; an error other than EAGAIN.</returns>
    public SysResult Drain(ICollection<InotifyReport> reports)
    {
        byte* buffer = stackalloc byte[BufferLength];
        int count = 0;
        while (true)
        {
            // SAFETY: the span is the buffer.
            Span<byte> bytes = new(buffer, BufferLength);
            SysResult result = Io.Read(_fd.Raw, bytes);
            if (result.WouldBlock || result.Value == 0) return new SysResult(count);
            if (result.Failed) return result;
            for (ReadOnlySpan<byte> rest = bytes[..result.Count]; rest.Length >= HeaderLength; count++)
            {
                int nameLength = (int)MemoryMarshal.Read<uint>(rest[NameLengthAt..]);
                ReadOnlySpan<byte> name = rest.Slice(HeaderLength, nameLength).TrimEnd((byte)0);
                InotifyEvents events = (InotifyEvents)MemoryMarshal.Read<uint>(rest[MaskAt..]);
                reports.Add(new InotifyReport(MemoryMarshal.Read<int>(rest), events, Encoding.UTF8.GetString(name)));
                rest = rest[(HeaderLength + nameLength)..];
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();
}
