namespace NicHost.Host.Control;

/// <summary>The body of an answer, written piece by piece as fast as the client reads.</summary>
/// <param name="write">Writes the body.</param>
internal sealed class ControlAnswer(Func<ControlWriter, Task> write)
{
    public Task WriteToAsync(ControlWriter writer) => write(writer);

    public static implicit operator ControlAnswer(string text) => new(writer => writer.WriteAsync(text).AsTask());
}
