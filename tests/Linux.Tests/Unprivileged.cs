using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace NicHost.Testing;

/// <summary>
/// A thread whose rights on files are those of nobody, also when the tests run as root: setfsuid(2) is the calling thread's alone, and takes
/// root's rights on files along.
/// </summary>
internal static partial class Unprivileged
{
    /// <summary>The user that the thread is, where the tests run as root.</summary>
    public const uint Nobody = 65534;

    /// <summary>Runs work there.</summary>
    /// <param name="folder">Given to that user before, with what is in it.</param>
    /// <param name="work">What to run.</param>
    public static void Run(string folder, Action work)
    {
        if (Environment.IsPrivilegedProcess)
        {
            foreach (var path in Directory.GetFileSystemEntries(folder).Prepend(folder))
            {
                if (lchown(path, Nobody, Nobody) != 0) throw new IOException($"{path} cannot be given away");
            }
        }
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            if (Environment.IsPrivilegedProcess) setfsuid(Nobody);
            try
            {
                work();
            }
#pragma warning disable CA1031 // thrown again below
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc")]
    private static partial int setfsuid(uint user);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint owner, uint group);
}
